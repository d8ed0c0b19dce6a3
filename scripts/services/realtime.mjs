// @ts-check
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { environment } from '../environment.mjs'
import { docker } from './docker.mjs'
import { realtimeKeyFile } from './native-rabbitmq.mjs'
import { localDirectory } from './paths.mjs'

/**
 * Live updates for browsers.
 * @typedef {object} Realtime
 * @property {string} url of MQTT over WebSocket
 * @property {string} keyFile the private key with which tokens are made
 */

/** @returns {Realtime | undefined} what REALTIME_URL and REALTIME_KEY_FILE say; undefined: one of them is not set */
export function readGivenRealtime() {
  const { REALTIME_URL: url, REALTIME_KEY_FILE: keyFile } = environment
  return url && keyFile ? { url, keyFile } : undefined
}

/**
 * Where this clone's private broker takes browsers.
 * @param {number | undefined} port undefined: it was started without
 * @returns {Realtime | undefined}
 */
export const nativeRealtime = (port) => (port ? { url: toUrl(port), keyFile: realtimeKeyFile } : undefined)

/**
 * Where the broker in compose takes browsers. Its key of development is copied from it; with a key of the caller's own,
 * REALTIME_KEY_FILE names the private one.
 * @param {Record<string, string | undefined>} variables of docker-compose.yml
 * @returns {Promise<Realtime | undefined>} undefined: the private key is not known
 */
export async function composeRealtime(variables) {
  const url = toUrl(Number(variables.REALTIME_PORT))
  if (variables.REALTIME_PUBLIC_KEY) {
    return environment.REALTIME_KEY_FILE ? { url, keyFile: environment.REALTIME_KEY_FILE } : undefined
  }
  const keyFile = join(localDirectory, 'compose-realtime-key.pem')
  const copied = await docker(['compose', 'cp', 'rabbitmq:/var/lib/realtime/key.pem', keyFile], { env: variables })
  if (copied.code !== 0) return undefined
  chmodSync(keyFile, 0o600)
  return { url, keyFile }
}

/** @param {number} port */
const toUrl = (port) => `ws://127.0.0.1:${port}/ws`
