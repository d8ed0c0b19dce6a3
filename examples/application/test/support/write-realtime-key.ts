import { generateKeyPairSync } from 'node:crypto'
import type { TestFixtures } from '@mono/test-support'
import { writeTemporaryFile } from './write-temporary-file.js'

/** Makes a key for browsers' tokens, which no broker knows. @returns the path of its file */
export function writeRealtimeKey(cleanUp: TestFixtures['cleanUp']): Promise<string> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return writeTemporaryFile(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cleanUp)
}
