import { createECDH } from 'node:crypto'
import { type EnvFault, type EnvOf, secret, variable } from '@mono/worker-runtime'
import { z } from 'zod'
import { isVapidSubject } from './is-vapid-subject.js'

/** The keys that the application gives to browsers when they subscribe, and by which push services know us. */
export const vapidEnv = {
  vapidSubject: variable('VAPID_SUBJECT', z.string(subjectText()).refine(isVapidSubject, subjectText())),
  vapidPublicKey: variable('VAPID_PUBLIC_KEY', z.string(publicKeyText()).refine(isPublicKey, publicKeyText())),
  vapidPrivateKey: secret('VAPID_PRIVATE_KEY', z.string(privateKeyText()).refine(isPrivateKey, privateKeyText())),
}

/** Of docker-compose.yml. It is in the repository, so it is worth nothing anywhere else. */
const developmentPrivateKey = 'VgKN2MR00Ql0PA8gUfo3FWvBLnpXyn9i84EuoB1fURw'

/** Subscriptions are bound to the public key; a private one of another pair would have every push refused. */
export function findVapidFault({
  vapidPublicKey,
  vapidPrivateKey,
  nodeEnv,
}: EnvOf<typeof vapidEnv> & { nodeEnv: string }): EnvFault | undefined {
  if (nodeEnv === 'production' && vapidPrivateKey === developmentPrivateKey) {
    const expected = 'a key of your own, because NODE_ENV is production; make a pair by `npm run vapid`'
    return { name: 'VAPID_PRIVATE_KEY', expected, found: 'the one of development' }
  }
  const pair = createECDH('prime256v1')
  pair.setPrivateKey(Buffer.from(vapidPrivateKey, 'base64url'))
  if (pair.getPublicKey().equals(Buffer.from(vapidPublicKey, 'base64url'))) return undefined
  return { name: 'VAPID_PUBLIC_KEY', expected: 'the public key of VAPID_PRIVATE_KEY', found: 'that of another' }
}

function subjectText(): string {
  return 'mailto: and one address, or an https: URL, at a public domain such as example.com, without spaces, brackets or an IP address (Apple refuses every push otherwise)'
}

function publicKeyText(): string {
  return 'a public key of 65 bytes in base64url without padding; make a pair by `npm run vapid`'
}

function privateKeyText(): string {
  return 'a private key of 32 bytes in base64url without padding; make a pair by `npm run vapid`'
}

function isPublicKey(text: string): boolean {
  const bytes = fromBase64url(text)
  return bytes?.length === 65 && bytes[0] === 4
}

function isPrivateKey(text: string): boolean {
  return fromBase64url(text)?.length === 32
}

/** `Buffer.from` skips what does not belong there. */
function fromBase64url(text: string): Buffer | undefined {
  return /^[A-Za-z0-9_-]+$/.test(text) ? Buffer.from(text, 'base64url') : undefined
}
