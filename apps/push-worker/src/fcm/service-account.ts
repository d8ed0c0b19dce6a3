import { createPrivateKey, type KeyObject } from 'node:crypto'
import { parseJsonObject } from '@mono/http-client'

/** The account that Google knows us by, as far as its key file is needed. */
export interface ServiceAccount {
  /** The Firebase project that messages are sent for. */
  projectId: string
  clientEmail: string
  /** Says which key of the account it is. */
  privateKeyId: string
  /** RSA. */
  privateKey: KeyObject
  /** Where access tokens are given out: `https:`. */
  tokenUri: URL
}

/** A fault of a key file. Neither text shows what is in the file. */
export interface ServiceAccountFault {
  expected: string
  found: string
}

const defaultTokenUri = 'https://oauth2.googleapis.com/token'

/** Reads the JSON that Google gives out for a key of a service account, or returns everything that is wrong with it. */
export function parseServiceAccount(text: string): ServiceAccount | ServiceAccountFault[] {
  const json = parseJsonObject(text)
  if (!json) return [{ expected: 'the key file of a service account', found: 'no JSON object' }]
  const {
    type,
    project_id: projectId,
    client_email: clientEmail,
    private_key_id: privateKeyId,
    private_key: pem,
    token_uri: uri = defaultTokenUri,
  } = json
  if (type !== 'service_account') return [{ expected: 'the type service_account', found: 'JSON of another type' }]
  const privateKey = isText(pem) ? toRsaKey(pem) : undefined
  const tokenUri = toHttpsUrl(uri)
  if (isText(projectId) && isText(clientEmail) && isText(privateKeyId) && privateKey && tokenUri) {
    return { projectId, clientEmail, privateKeyId, privateKey, tokenUri }
  }
  const texts = { project_id: projectId, client_email: clientEmail, private_key_id: privateKeyId, private_key: pem }
  const faults = Object.entries(texts).flatMap(([name, value]) => (isText(value) ? [] : [missing(name)]))
  if (isText(pem) && !privateKey)
    faults.push({ expected: 'private_key to be an RSA key in PEM', found: 'another text' })
  if (!tokenUri) faults.push({ expected: 'token_uri to be an https: URL', found: 'something else' })
  return faults
}

function missing(name: string): ServiceAccountFault {
  return { expected: `a text as ${name}`, found: 'none' }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function toRsaKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem)
    return key.asymmetricKeyType === 'rsa' ? key : undefined
  } catch {
    return undefined
  }
}

function toHttpsUrl(value: unknown): URL | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined
  const url = new URL(value)
  return url.protocol === 'https:' ? url : undefined
}
