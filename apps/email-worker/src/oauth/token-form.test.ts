import { expect, test } from 'vitest'
import type { OAuthSettings } from './oauth-env.js'
import { TokenForm } from './token-form.js'

const settings: OAuthSettings = {
  tokenUrl: new URL('https://login.example.com/token'),
  clientId: 'mono',
  clientSecret: 'a&b=c',
  scope: undefined,
  refreshToken: undefined,
}
const scope = 'https://outlook.office365.com/.default'

test('without a refresh token the app asks for itself', () => {
  const form = new TokenForm({ ...settings, scope })
  const fields = { grant_type: 'client_credentials', client_id: 'mono', client_secret: 'a&b=c', scope }
  expect(Object.fromEntries(form.create())).toEqual(fields)
  form.replaceRefreshToken('of no use')
  expect(Object.fromEntries(form.create())).toEqual(fields)
})

test('with a refresh token it asks for whoever has consented, each time with the last one', () => {
  const form = new TokenForm({ ...settings, refreshToken: '1//first' })
  const fields = { grant_type: 'refresh_token', client_id: 'mono', client_secret: 'a&b=c' }
  expect(Object.fromEntries(form.create())).toEqual({ ...fields, refresh_token: '1//first' })
  form.replaceRefreshToken('1//second')
  expect(Object.fromEntries(form.create())).toEqual({ ...fields, refresh_token: '1//second' })
})
