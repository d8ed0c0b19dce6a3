import { generateKeyPairSync, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { signAssertion } from './sign-assertion.js'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

test('an assertion says who asks whom for what, for an hour, and is signed with the key that it names', () => {
  const account = {
    projectId: 'my-project',
    clientEmail: 'push@my-project.iam.gserviceaccount.com',
    privateKeyId: 'key-1',
    privateKey,
    tokenUri: new URL('https://oauth2.googleapis.com/token'),
  }
  const [header = '', claims = '', signature = '', ...rest] = signAssertion(account, 1_700_000_000_999).split('.')
  const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  expect(rest).toEqual([])
  expect(decode(header)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'key-1' })
  expect(decode(claims)).toEqual({
    iss: 'push@my-project.iam.gserviceaccount.com',
    scope: 'https://www.googleapis.com/auth/firebase.messaging',
    aud: 'https://oauth2.googleapis.com/token',
    iat: 1_700_000_000,
    exp: 1_700_003_600,
  })
  expect(verify('sha256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))).toBe(
    true,
  )
})
