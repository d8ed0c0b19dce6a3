import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'

/** A key as Apple gives it to the team of an app. */
export interface ApnsKey {
  keyId: string
  teamId: string
  /** PEM, as the `.p8` file has it. */
  privateKey: string
  publicKey: KeyObject
  /** The one environment that it may be used in. Default: both. */
  environment?: 'production' | 'sandbox'
}

export function createApnsKey(options: Partial<Pick<ApnsKey, 'teamId' | 'environment'>> = {}): ApnsKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { keyId: createTenCharacters(), teamId: createTenCharacters(), privateKey: pem, publicKey, ...options }
}

const createTenCharacters = () => randomBytes(5).toString('hex').toUpperCase()
