/** An order in the queue. */
export interface Order {
  readonly id: string;
  readonly item: string;
  readonly quantity: number;
}

/** What KV stores for each order. */
export interface OrderState {
  readonly state: "waiting" | "processed" | "failed";
  readonly item: string;
  /** How often the consumer got the order. */
  readonly attempts: number;
}
