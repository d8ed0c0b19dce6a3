// @ts-check
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { localDirectory } from '../services/paths.mjs'

/**
 * This clone's pair of keys for web push, made when it is first asked for. A browser that has subscribed by one is served by
 * no other.
 * @returns {Promise<{ publicKey: string, privateKey: string }>}
 */
export async function keepVapidKeys() {
  const file = join(localDirectory, 'vapid.json')
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error
  }
  // Only here, since it is not there before the dependencies are installed.
  const { default: webPush } = await import('web-push')
  const keys = webPush.generateVAPIDKeys()
  await mkdir(localDirectory, { recursive: true })
  await writeFile(file, JSON.stringify(keys), { mode: 0o600 })
  return keys
}
