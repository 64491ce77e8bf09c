"use client";

import { useState } from "react";

/** A counter that the browser runs. */
export default function Basket() {
  const [count, setCount] = useState(0);
  return <button onClick={() => setCount(count + 1)}>{count} articles in the basket</button>;
}
