// @ts-check
import webPush from 'web-push'

// A pair for push-worker's environment. Subscriptions are bound to the public key: with a new pair every browser must
// subscribe again (RFC 8292).
const { publicKey, privateKey } = webPush.generateVAPIDKeys()
process.stdout.write(`VAPID_PUBLIC_KEY=${publicKey}\nVAPID_PRIVATE_KEY=${privateKey}\n`)
