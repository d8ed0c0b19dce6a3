// @ts-check
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { chownSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import process from 'node:process'

// Gives the example application a copy, which it alone can read, of the private key with which it makes tokens for browsers:
// your own if the broker has a public key of yours, else the one of development that the broker has made. May run again.

const developmentKey = '/var/lib/realtime/key.pem'
const ownKey = '/run/secrets/realtime-key'
const copy = '/var/lib/application/realtime-key.pem'
/** `node` of the image. */
const applicationUser = 1000

const { env } = process
const { REALTIME_PUBLIC_KEY } = env

/** @param {string} pem @param {string} publicKey */
function isPair(pem, publicKey) {
  try {
    return createPublicKey(createPrivateKey(pem)).equals(createPublicKey(publicKey))
  } catch {
    // One of them cannot be read.
    return false
  }
}

/** @param {string} publicKey @returns {string} PEM */
function readOwnKey(publicKey) {
  const pem = readFileSync(ownKey, 'utf8')
  const expected = 'REALTIME_KEY_FILE: expected the private key, in PEM, that belongs to REALTIME_PUBLIC_KEY'
  if (pem === '') throw new Error(`${expected}, found none`)
  if (!isPair(pem, publicKey)) throw new Error(`${expected}, found something else`)
  return pem
}

try {
  const pem = REALTIME_PUBLIC_KEY ? readOwnKey(REALTIME_PUBLIC_KEY) : readFileSync(developmentKey, 'utf8')
  const unfinished = `${copy}.new`
  writeFileSync(unfinished, pem, { mode: 0o400 })
  chownSync(unfinished, applicationUser, applicationUser)
  renameSync(unfinished, copy)
  process.stdout.write(`${REALTIME_PUBLIC_KEY ? 'your own key' : 'the key of development'} is copied\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
