// A Worker with a service binding, which forwards its requests through it.

export default {
  fetch(request, env) {
    return env.SERVICE.fetch(request);
  },
};
