// Files that a person attaches.

import { bytes } from "./time.js";
import { t } from "./words.js";

/** Discord's limit for members without a subscription. */
export const LARGEST_FILE_BYTES = 10 * 1024 * 1024;
/** Discord's limit of files on one message. */
export const MOST_FILES = 10;

/** A File of the sandbox's interface. Rejects with a sentence when it is too large or cannot be read. */
export function readFile(file) {
  if (file.size > LARGEST_FILE_BYTES) return Promise.reject(new Error(t("file.too-large", { name: file.name, limit: bytes(LARGEST_FILE_BYTES) })));
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ filename: file.name, content_type: file.type || "application/octet-stream", base64: String(reader.result).replace(/^[^,]*,/, "") });
    reader.onerror = () => reject(new Error(t("file.unreadable", { name: file.name })));
    reader.readAsDataURL(file);
  });
}
