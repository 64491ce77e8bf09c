import Image from "next/image";
import Link from "next/link";
import Basket from "./basket";

/** The start page, which the build renders. */
export default function Page() {
  return (
    <main>
      <h1>Welcome to the shop</h1>
      <Image src="/apple.png" alt="An apple" width={32} height={32} />
      <Basket />
      <Link href="/products/apple">Apple</Link>
    </main>
  );
}
