/** The UTF-8 bytes of a text. */
export function utf8(text: string): ArrayBuffer {
  // TextEncoder always creates a new buffer; only its type allows a shared one.
  return new TextEncoder().encode(text).buffer as ArrayBuffer;
}

/** Bytes in hexadecimal, in lower case. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of valid hexadecimal digits. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The bytes of base64. Throws if the text is not valid. */
export function fromBase64(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer as ArrayBuffer;
}
