import { describe, expect } from 'vitest'
import { createH2Client, type PushClient } from '../../test/fixtures/push-client.js'
import { test as base } from '../test.js'
import { closeSink } from './close-sink.js'
import { createOAuthTokenEndpoint, type OAuthTokenEndpoint, type OAuthTokenEndpointOptions } from './index.js'

interface Fixtures {
  setUp(options?: OAuthTokenEndpointOptions): Promise<{ endpoint: OAuthTokenEndpoint; ask: Ask }>
}

type Ask = (form: Record<string, string>, headers?: Record<string, string>) => Promise<Record<string, unknown>>

const test = base.extend<Fixtures>({
  setUp: async ({ cleanUp }, use) => {
    await use(async (options) => {
      const endpoint = await createOAuthTokenEndpoint(options)
      cleanUp(() => closeSink('token endpoint', endpoint))
      const client = createH2Client(endpoint.ca)
      cleanUp(() => client.close())
      return { endpoint, ask: (form, headers) => askWith(client, endpoint, form, headers) }
    })
  },
})

async function askWith(
  client: PushClient,
  { url }: OAuthTokenEndpoint,
  form: Record<string, string>,
  headers: Record<string, string> = {},
) {
  const { status, body } = await client.send({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: Buffer.from(new URLSearchParams(form).toString()),
  })
  return { status, ...JSON.parse(body) }
}

const credentialsOf = ({ clientId, clientSecret, scope }: OAuthTokenEndpoint) => ({
  grant_type: 'client_credentials',
  client_id: clientId,
  client_secret: clientSecret,
  scope,
})

test('an app gets a token for its credentials, or for a refresh token', async ({ setUp }) => {
  const { endpoint, ask } = await setUp()
  const { refreshToken: refresh_token } = endpoint
  const { scope, ...app } = credentialsOf(endpoint)
  for (const form of [
    { ...app, scope },
    { ...app, grant_type: 'refresh_token', refresh_token },
  ]) {
    const answer = await ask(form)
    expect(answer).toMatchObject({ status: 200, expires_in: 3599, token_type: 'Bearer' })
    expect(answer).not.toHaveProperty('refresh_token')
    expect(endpoint.isValid(String(answer.access_token))).toBe(true)
    endpoint.revokeAll()
    expect(endpoint.isValid(String(answer.access_token))).toBe(false)
  }
})

test('a refresh token that is replaced each time is good for once', async ({ setUp }) => {
  const { endpoint, ask } = await setUp({ rotates: true })
  const { scope: _, ...app } = credentialsOf(endpoint)
  const askBy = (refresh_token: string) => ask({ ...app, grant_type: 'refresh_token', refresh_token })
  const first = endpoint.refreshToken
  const { refresh_token: second } = await askBy(first)
  expect(await askBy(first)).toMatchObject({ status: 400, error: 'invalid_grant' })
  expect(await askBy(String(second))).toMatchObject({ status: 200 })
})

describe('a request that is not in order is refused:', () => {
  test.for<[string, Record<string, string | undefined>, number, string]>([
    ['a wrong secret', { client_secret: 'wrong' }, 401, 'invalid_client'],
    ['another app', { client_id: 'other' }, 401, 'invalid_client'],
    ['another scope', { scope: 'openid' }, 400, 'invalid_scope'],
    ['no scope', { scope: undefined }, 400, 'invalid_scope'],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
    ['a refresh token that is none', { grant_type: 'refresh_token', refresh_token: 'x' }, 400, 'invalid_grant'],
    ['a refresh token beside credentials', { refresh_token: 'x' }, 400, 'invalid_request'],
    ['a parameter of its own', { resource: 'x' }, 400, 'invalid_request'],
  ])('%s', async ([, fields, status, error], { setUp }) => {
    const { endpoint, ask } = await setUp()
    const form = Object.entries({ ...credentialsOf(endpoint), ...fields }).filter(([, value]) => value !== undefined)
    expect(await ask(Object.fromEntries(form) as Record<string, string>)).toMatchObject({ status, error })
    expect(endpoint.attempts).toMatchObject([{ answer: status, reason: expect.stringContaining(error) }])
  })

  test('a grant that the app may not use', async ({ setUp }) => {
    const { endpoint, ask } = await setUp({ grants: ['refresh_token'] })
    expect(await ask(credentialsOf(endpoint))).toMatchObject({ status: 400, error: 'unauthorized_client' })
  })

  test('JSON', async ({ setUp }) => {
    const { endpoint, ask } = await setUp()
    const headers = { 'content-type': 'application/json' }
    expect(await ask(credentialsOf(endpoint), headers)).toMatchObject({ status: 400, error: 'invalid_request' })
  })
})
