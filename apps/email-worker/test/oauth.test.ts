import { type TestMessage, type WorkerProcess, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { bringBack } from './bring-back.js'
import { test } from './oauth-setup.js'

const errorsOf = ({ logs }: WorkerProcess) => logs.filter(({ level }) => level === 'error')

/** Attempts that were counted of each message. */
const attemptsOf = (messages: readonly TestMessage[]) =>
  new Set(messages.map(({ headers }) => headers['x-attempts'] ?? 0))

const formOf = (body: string) => Object.fromEntries(new URLSearchParams(body))

describe('mails go out with an access token', () => {
  test.for(['client_credentials', 'refresh_token'] as const)(
    'of the grant %s, which is asked for once',
    async (grant, { setUp }) => {
      const { endpoint, sink, startWorker, send, expectAllSent } = await setUp({ grant })
      // A login that comes meanwhile waits for the same one.
      endpoint.answer({ status: 200, delayMs: 3_000 })
      const worker = await startWorker()
      await send(30)
      await expectAllSent()
      expect(await worker.metric('mono_email_token_refreshes_total')).toBe(1)
      expect(await worker.terminate()).toEqual({ code: 0, signal: null })

      const { clientId: client_id, clientSecret: client_secret, scope, refreshToken: refresh_token } = endpoint
      expect(endpoint.attempts.map(({ body }) => formOf(body))).toEqual([
        { grant_type: grant, client_id, client_secret, scope, ...(grant === 'refresh_token' && { refresh_token }) },
      ])
      expect(sink.logins.length).toBe(30)
      expect(new Set(sink.logins.map(({ accessToken, accepted }) => `${accepted} ${accessToken}`)).size).toBe(1)
      expect(errorsOf(worker)).toEqual([])
      const output = JSON.stringify(worker.logs) + worker.stderr
      const secrets = [client_secret, refresh_token, String(sink.logins[0]?.accessToken)]
      expect(secrets.filter((secret) => output.includes(secret))).toEqual([])
    },
  )

  test('that is another one before the first has ended, and each is asked for once', async ({ setUp }) => {
    const { endpoint, sink, startWorker, send, expectAllSent } = await setUp()
    // Half of it is left when the next is asked for.
    endpoint.setLifetime(24)
    endpoint.answer({ status: 200, delayMs: 300 })
    const worker = await startWorker()
    while (Number(await worker.metric('mono_email_token_refreshes_total')) < 2) {
      await send(5)
      await expectAllSent()
    }
    await send(5)
    await expectAllSent()
    await worker.terminate()
    expect(sink.logins.filter(({ accepted }) => !accepted)).toEqual([])
    const used = new Set(sink.logins.map(({ accessToken }) => accessToken)).size
    expect(used).toBeGreaterThan(1)
    // On a slow machine the last one may have come too late for a mail.
    expect(endpoint.attempts.length - used).toBeLessThanOrEqual(1)
    expect(worker.logs.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
  })

  test('though the refresh token is another one each time', async ({ setUp }) => {
    const { endpoint, startWorker, send, expectAllSent } = await setUp({ grant: 'refresh_token', rotates: true })
    const worker = await startWorker()
    for (let n = 1; n <= 3; n += 1) {
      await send(5)
      await expectAllSent()
      expect(endpoint.attempts.map(({ answer }) => answer)).toEqual(Array.from({ length: n }, () => 200))
      endpoint.revokeAll()
    }
    await worker.terminate()
    expect(errorsOf(worker)).toEqual([])
  })
})

describe('a token that is refused before its end', () => {
  test('is renewed once, and nobody waits', async ({ setUp, vhost }) => {
    const { endpoint, sink, startWorker, send, expectAllSent } = await setUp()
    const worker = await startWorker()
    await send(1)
    await expectAllSent()
    endpoint.revokeAll()
    await send(30)
    await expectAllSent()
    expect(await vhost.countMessages('email.notifications.retry.60s')).toBe(0)
    await worker.terminate()
    expect(endpoint.attempts).toHaveLength(2)
    expect(sink.logins.some(({ accepted }) => !accepted)).toBe(true)
    expect(errorsOf(worker)).toEqual([])
  })

  test('also by a server that refuses without a challenge, as Exchange does', async ({ setUp }) => {
    const { endpoint, sink, startWorker, send, expectAllSent } = await setUp()
    sink.answer('all', ['auth 535'])
    const worker = await startWorker()
    await send(1)
    await expectAllSent()
    await worker.terminate()
    expect(endpoint.attempts).toHaveLength(2)
  })
})

describe('a login that is a matter of the settings', () => {
  const rows: [string, string, string, number][] = [
    [
      'because the successor of a refused token is refused too',
      '535 5.7.3 Authentication unsuccessful',
      'The mail server does not take mails from us (535 5.7.3 Authentication unsuccessful): check the user of SMTP_URL, SMTP_OAUTH_SCOPE and what the app may do',
      // However often the mail server is asked meanwhile.
      2,
    ],
    [
      'because SMTP AUTH is off in Exchange, which costs no token',
      '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.',
      'The mail server does not take mails from us (535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit [url] for more information.): turn it on with Set-TransportConfig -SmtpClientAuthenticationDisabled $false',
      1,
    ],
  ]
  test.for(rows)(
    '%s: it is named, and all mails wait until it is mended',
    async ([, refusal, words, tokenRequests], { setUp, vhost }) => {
      const { endpoint, login, startWorker, send, expectAllSent, untilUnready } = await setUp()
      login.refusal = refusal
      const worker = await startWorker()
      await send(6)
      await untilUnready(worker, words)
      expect(endpoint.attempts).toHaveLength(tokenRequests)
      login.refusal = undefined
      await worker.ready()
      expect(attemptsOf(await bringBack(vhost, { atLeast: 5 }))).toEqual(new Set([0]))
      await expectAllSent()
      await worker.terminate()
    },
  )
})

describe('a token endpoint', () => {
  test.for(['is away', 'hangs', 'is busy'] as const)(
    'that %s at the start: mails wait, and go out when it is back',
    async (trouble, { setUp, vhost }) => {
      const { endpoint, startWorker, send, expectAllSent, untilUnready } = await setUp()
      if (trouble === 'is away') await endpoint.stop()
      else endpoint.answer(trouble === 'hangs' ? 'hang' : { status: 503, body: '{"error_description":"Too busy"}' })
      const worker = await startWorker()
      await send(6)
      const reason = {
        'is away': `No connection to ${new URL(endpoint.url).host} could be made (ECONNREFUSED)`,
        hangs: 'The answer did not come in time',
        'is busy': 'HTTP 503: Too busy',
      }[trouble]
      const words = `There is no access token for the mail server: The token endpoint is away (${reason})`
      await untilUnready(worker, words)
      if (trouble === 'is away') await endpoint.start()
      endpoint.answer(200)
      await worker.ready()
      expect(attemptsOf(await bringBack(vhost, { atLeast: 5 }))).toEqual(new Set([0]))
      await expectAllSent()
      await worker.terminate()
      expect(errorsOf(worker)).toEqual([])
    },
  )

  test('that is away later holds up no mail while the old token lasts', async ({ setUp, vhost }) => {
    const { endpoint, sink, startWorker, send, expectAllSent } = await setUp()
    endpoint.setLifetime(40)
    const worker = await startWorker()
    const sendOne = async () => {
      await send(1)
      await expectAllSent()
    }
    await sendOne()
    await endpoint.stop()
    const isAway = () => worker.logs.some(({ msg }) => msg === 'The token endpoint gives out no access token')
    while (!isAway()) await sendOne()
    await sendOne()
    expect(new Set(sink.logins.map(({ accessToken, accepted }) => `${accepted} ${accessToken}`)).size).toBe(1)
    await endpoint.start()
    const isBack = () => worker.logs.some(({ msg }) => msg === 'The token endpoint gives out access tokens again')
    while (!isBack()) await sendOne()
    expect(await vhost.countMessages('email.notifications.retry.60s')).toBe(0)
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
  })
})

describe('a secret that is wrong', () => {
  const reason = 'HTTP 401: Invalid client secret provided.'
  const advice = 'The token endpoint takes neither the app nor its secret; check SMTP_OAUTH_CLIENT_ID and _SECRET'
  const words = `There is no access token for the mail server: ${advice} (${reason})`

  test('at the start is named before there is a mail; all go out once the endpoint takes it', {
    timeout: 150_000,
  }, async ({ setUp }) => {
    const { endpoint, sink, startWorker, send, expectAllSent, untilUnready } = await setUp()
    const worker = await startWorker({ SMTP_OAUTH_CLIENT_SECRET: 'not-yet-in-use' })
    await waitFor(() => errorsOf(worker).length > 0, { what: 'an error line' })
    expect(errorsOf(worker)).toMatchObject([{ msg: advice, reason }])
    await send(6)
    await untilUnready(worker, words)
    expect([endpoint.attempts.length, sink.logins.length]).toEqual([1, 0])
    endpoint.clientSecret = 'not-yet-in-use'
    // It is asked again after a minute.
    await worker.ready({ timeoutMs: 90_000 })
    // The mails have waited as long, and come back.
    await expectAllSent()
    await worker.terminate()
    expect(errorsOf(worker)).toHaveLength(1)
  })

  test('later on is named too; a worker with the right one sends what has waited', async ({ setUp, vhost }) => {
    const { endpoint, startWorker, send, expectAllSent, untilUnready } = await setUp()
    const worker = await startWorker()
    await send(1)
    await expectAllSent()
    endpoint.clientSecret = 'the next one'
    endpoint.revokeAll()
    await send(6)
    await untilUnready(worker, words)
    await worker.terminate()
    expect(errorsOf(worker)).toMatchObject([{ msg: advice, reason }])
    const successor = await startWorker()
    expect(attemptsOf(await bringBack(vhost, { atLeast: 5 }))).toEqual(new Set([0]))
    await expectAllSent()
    await successor.terminate()
  })

  test('or a refresh token that was revoked', async ({ setUp }) => {
    const { endpoint, startWorker, send, untilUnready } = await setUp({ grant: 'refresh_token' })
    const SMTP_OAUTH_REFRESH_TOKEN = 'revoked'
    const worker = await startWorker({ SMTP_OAUTH_REFRESH_TOKEN })
    await send(6)
    await untilUnready(
      worker,
      'There is no access token for the mail server: The token endpoint does not take the refresh token any more; make another SMTP_OAUTH_REFRESH_TOKEN (HTTP 400: Token has been expired or revoked.)',
    )
    await worker.terminate()
    expect(endpoint.attempts).toHaveLength(1)
  })
})
