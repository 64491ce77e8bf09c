import type { Order, OrderState } from "./order.ts";

interface Env {
  readonly STATES: KVNamespace;
}

export default {
  async queue(batch, env) {
    const isDead = batch.queue.endsWith("-dead");
    for (const message of batch.messages) {
      if (!isDead && message.body.quantity <= 0) {
        // A message that is not retried is acknowledged when the handler ends.
        message.retry();
        continue;
      }
      const { id, item } = message.body;
      const state: OrderState = { state: isDead ? "failed" : "processed", item, attempts: message.attempts };
      await env.STATES.put(id, JSON.stringify(state));
    }
  },
} satisfies ExportedHandler<Env, Order>;
