import { z } from 'zod'

/** An origin of `https:`, without a path: `https://push.example.com:8443`. */
export function origin(byDefault: string): z.ZodType<string, string | undefined> {
  return z.string().refine(isOrigin, `an origin such as ${byDefault}, without a path`).default(byDefault)
}

function isOrigin(text: string): boolean {
  try {
    const url = new URL(text)
    return url.protocol === 'https:' && url.origin === text
  } catch {
    return false
  }
}
