import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import { createFcmAccessTokens } from './fcm-access-tokens.js'
import type { IssuedTokens } from './issued-tokens.js'
import { createScriptedTokenEndpoint, type ScriptedTokenEndpoint } from './scripted-token-endpoint.js'

/** The key file of a service account. */
export interface FcmServiceAccount {
  type: 'service_account'
  project_id: string
  private_key_id: string
  private_key: string
  client_email: string
  token_uri: string
}

export interface FcmTokenEndpoint extends ScriptedTokenEndpoint, Omit<IssuedTokens, 'issue'> {
  /** For the one who sends. */
  serviceAccount: FcmServiceAccount
  /** Sets how far the endpoint's clock is ahead of ours, in milliseconds. Default 0. */
  shiftClock(ms: number): void
}

export interface FcmTokenEndpointOptions {
  projectId: string
  /** `token_uri` of the service account, and the audience of its assertions. */
  tokenUri: string
  /** Other audiences that are accepted. */
  audiences: readonly string[]
}

const privateKeyId = 'test-key'

/** Google's token endpoint, with a service account of its own making. */
export function createFcmTokenEndpoint({ projectId, tokenUri, audiences }: FcmTokenEndpointOptions): FcmTokenEndpoint {
  const { privateKey, publicKey } = keyPair()
  const clientEmail = `push@${projectId}.iam.gserviceaccount.com`
  let clockShiftMs = 0
  const { grant, ...tokens } = createFcmAccessTokens({
    publicKey,
    privateKeyId,
    clientEmail,
    audiences: [tokenUri, ...audiences],
    now: () => Date.now() + clockShiftMs,
  })
  return {
    serviceAccount: {
      type: 'service_account',
      project_id: projectId,
      private_key_id: privateKeyId,
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      client_email: clientEmail,
      token_uri: tokenUri,
    },
    ...createScriptedTokenEndpoint(grant),
    ...tokens,
    shiftClock(ms) {
      clockShiftMs = ms
    },
  }
}

let pair: KeyPairKeyObjectResult | undefined

/** One for the whole process, because finding primes takes long. */
function keyPair(): KeyPairKeyObjectResult {
  pair ??= generateKeyPairSync('rsa', { modulusLength: 2048 })
  return pair
}
