import { AccessTokenError } from '@mono/access-tokens'
import { describe, expect, test } from 'vitest'
import { createOAuthLogin } from './oauth-login.js'

const { signal } = new AbortController()
const challenge = `334 ${Buffer.from('{"status":"400","schemes":"Bearer"}').toString('base64')}`
const gmailRefusal = '535-5.7.8 Username and Password not accepted.\n535 5.7.8 Learn more at https://example.com'
const exchangeRefusal = '535 5.7.3 Authentication unsuccessful'
const unavailable = new AccessTokenError('ACCESS_TOKEN_UNAVAILABLE', { reason: 'HTTP 503: Busy', delayMs: 1_000 })

/** A mail server that answers so, in order and then with 235, and what it was sent. */
function setUp({
  answers = [],
  authMethods = ['PLAIN', 'XOAUTH2'],
}: {
  answers?: string[]
  authMethods?: string[]
} = {}) {
  const commands: string[] = []
  const clock = { now: 0 }
  let issued = 1
  const tokens = {
    get: async () => `token-${issued}`,
    async renew(refused: string) {
      if (refused === `token-${issued}`) issued += 1
      return `token-${issued}`
    },
  }
  const login = createOAuthLogin({ tokens, signal, uptime: () => clock.now })
  const sendCommand = async (command: string) => {
    const [, base64 = ''] = /^AUTH XOAUTH2 (.+)$/.exec(command) ?? []
    commands.push(base64 === '' ? command : Buffer.from(base64, 'base64').toString())
    const response = answers.shift() ?? '235 2.7.0 Accepted'
    return { command, response, status: 0, text: '' }
  }
  const auth = { user: 'mono@example.com', credentials: { user: 'mono@example.com', pass: '' } }
  return { commands, clock, answers, tokens, logIn: () => login({ auth, authMethods, sendCommand }) }
}

const authentication = (token: string) => `user=mono@example.com\u0001auth=Bearer ${token}\u0001\u0001`

test('user and token go in one command', async () => {
  const { commands, logIn } = setUp()
  await logIn()
  expect(commands).toEqual([authentication('token-1')])
})

describe('a token that is refused', () => {
  test.each([
    ['after a challenge, which is answered by nothing', [challenge, gmailRefusal], ['']],
    ['at once', [exchangeRefusal], []],
  ])('%s is renewed', async (_name, answers, between) => {
    const { commands, logIn } = setUp({ answers })
    await logIn()
    expect(commands).toEqual([authentication('token-1'), ...between, authentication('token-2')])
  })

  test('is renewed once on a connection', async () => {
    const { commands, logIn } = setUp({ answers: [exchangeRefusal, exchangeRefusal] })
    await expect(logIn()).rejects.toThrow('refuses the login')
    expect(commands).toHaveLength(2)
  })

  test('is renewed once a minute, if no server has ever accepted it', async () => {
    const { commands, clock, answers, logIn } = setUp()
    const refuse = async () => {
      answers.push(exchangeRefusal, exchangeRefusal)
      await expect(logIn()).rejects.toThrow('refuses the login')
      answers.length = 0
      return commands.splice(0)
    }
    expect(await refuse()).toEqual([authentication('token-1'), authentication('token-2')])
    clock.now += 59_999
    expect(await refuse()).toEqual([authentication('token-2')])
    clock.now += 1
    expect(await refuse()).toEqual([authentication('token-2'), authentication('token-3')])
  })

  test('is renewed at once, if it was accepted before', async () => {
    const { commands, answers, logIn } = setUp({ answers: [exchangeRefusal] })
    await logIn()
    answers.push(exchangeRefusal)
    await logIn()
    expect(commands).toEqual(['token-1', 'token-2', 'token-2', 'token-3'].map(authentication))
  })

  test('is replaced by the one that another connection has got', async () => {
    const { commands, tokens, answers, logIn } = setUp({ answers: [exchangeRefusal, exchangeRefusal] })
    await expect(logIn()).rejects.toThrow('refuses the login')
    const [get] = [tokens.get]
    tokens.get = async () => {
      tokens.get = get
      return 'token-0'
    }
    answers.push(exchangeRefusal)
    await logIn()
    expect(commands.slice(2)).toEqual([authentication('token-0'), authentication('token-2')])
  })
})

test.each([
  '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.',
  '454 4.7.0 Temporary authentication failure',
  '421 4.7.0 Try again later',
])('%s says nothing of the token', async (refusal) => {
  const { commands, logIn } = setUp({ answers: [refusal] })
  await expect(logIn()).rejects.toThrow('refuses the login')
  expect(commands).toHaveLength(1)
})

test('a server without XOAUTH2 is told no token', async () => {
  const { commands, logIn } = setUp({ authMethods: ['PLAIN'] })
  await expect(logIn()).rejects.toThrow('The mail server offers no login by XOAUTH2; check SMTP_URL')
  expect(commands).toEqual([])
})

describe('without a token', () => {
  const refused = (error?: string) =>
    new AccessTokenError('ACCESS_TOKEN_REFUSED', { reason: 'HTTP 400: No', error, delayMs: 60_000 })

  test.each([
    [unavailable, 'The token endpoint is away (HTTP 503: Busy)'],
    [
      refused('invalid_client'),
      'The token endpoint takes neither the app nor its secret; check SMTP_OAUTH_CLIENT_ID and _SECRET (HTTP 400: No)',
    ],
    [
      refused('invalid_grant'),
      'The token endpoint does not take the refresh token any more; make another SMTP_OAUTH_REFRESH_TOKEN (HTTP 400: No)',
    ],
    [
      refused('unauthorized_client'),
      'The token endpoint does not let the app have this token; check SMTP_OAUTH_CLIENT_ID, its tenant and its permissions (HTTP 400: No)',
    ],
    [refused('invalid_scope'), 'The token endpoint does not know the scope; check SMTP_OAUTH_SCOPE (HTTP 400: No)'],
    [
      refused(),
      'The token endpoint refuses us; check SMTP_OAUTH_TOKEN_URL, _CLIENT_ID, _CLIENT_SECRET and _SCOPE (HTTP 400: No)',
    ],
  ])('it says why: %s', async (error, words) => {
    const { commands, tokens, logIn } = setUp()
    tokens.get = async () => {
      throw error
    }
    await expect(logIn()).rejects.toMatchObject({ name: 'MissingTokenError', words, tokenCode: error.code })
    expect(commands).toEqual([])
  })

  test('in place of a refused one, it says why there is none', async () => {
    const { tokens, logIn } = setUp({ answers: [exchangeRefusal] })
    tokens.renew = async () => {
      throw unavailable
    }
    await expect(logIn()).rejects.toMatchObject({ tokenCode: 'ACCESS_TOKEN_UNAVAILABLE' })
  })

  test('by a bug, it is the bug that is thrown', async () => {
    const { tokens, logIn } = setUp()
    tokens.get = async () => {
      throw new TypeError('x is not a function')
    }
    await expect(logIn()).rejects.toThrow(TypeError)
  })
})
