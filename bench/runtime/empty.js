// The least that a Worker can be, for the start-up figures.

export default { fetch: () => new Response() };
