import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { DkimSettings } from '../src/dkim/dkim-env.js'

/** A domain publishes a key by it: a record of the type TXT. */
export interface DkimRecord {
  name: string
  /** Each has at most 255 bytes. */
  strings: string[]
}

/** A key of the test's own, for mails from `mono@example.com`. */
export function createDkimKey(): DkimSettings & { record: DkimRecord } {
  const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const [domain, selector] = ['example.com', 'mono-2027']
  const published = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
  const strings = [`v=DKIM1; k=rsa; p=${published.slice(0, 200)}`, published.slice(200)]
  return { domain, selector, key, record: { name: `${selector}._domainkey.${domain}`, strings } }
}

/** For the environment of a worker. */
export function toDkimEnvironment({ domain, selector, key }: DkimSettings): Record<string, string> {
  const pem = String(key.export({ type: 'pkcs8', format: 'pem' }))
  return { EMAIL_DKIM_DOMAIN: domain, EMAIL_DKIM_SELECTOR: selector, EMAIL_DKIM_KEY: pem }
}
