import { readFileSync } from 'node:fs'
import { AccessTokenError } from '@mono/access-tokens'
import { expect, test } from 'vitest'
import { classifySmtpError, type SmtpErrorLike } from './classify-smtp-error.js'
import { MissingTokenError, SmtpLoginError } from './smtp-login-error.js'

const createError = (fields: Partial<SmtpErrorLike>): SmtpErrorLike => Object.assign(new Error('smtp'), fields)

const classify = (fields: Partial<SmtpErrorLike>, handedOver = false) => {
  const { fault, isFinal, error } = classifySmtpError(createError(fields), { handedOver })
  const isAboutMail = fault === 'mail' || fault === 'recipient'
  return [isAboutMail && isFinal ? `${fault}, for good` : fault, error.code]
}

const answer = (code: string, response: string | number, command: string): Partial<SmtpErrorLike> => ({
  code,
  responseCode: Number.parseInt(String(response), 10),
  response: String(response),
  command,
})

test.each<[string, Partial<SmtpErrorLike>, string, string]>([
  ['login refused', answer('EAUTH', 535, 'AUTH PLAIN'), 'ours', 'SMTP_535'],
  ['login refused for now', answer('EAUTH', 454, 'AUTH PLAIN'), 'server', 'SMTP_454'],
  ['no password', { code: 'EAUTH', command: 'API' }, 'ours', 'EAUTH'],
  ['no login data', { code: 'ENOAUTH' }, 'ours', 'ENOAUTH'],
  ['no OAuth token', { code: 'EOAUTH2' }, 'ours', 'EOAUTH2'],
  ['STARTTLS refused', answer('ETLS', 502, 'STARTTLS'), 'server', 'SMTP_502'],
  ['bad configuration', { code: 'ECONFIG' }, 'ours', 'ECONFIG'],
  ['proxy', { code: 'EPROXY' }, 'server', 'EPROXY'],
  ['greeting 421', answer('EPROTOCOL', 421, 'CONN'), 'connection', 'SMTP_421'],
  ['greeting 554', answer('EPROTOCOL', 554, 'CONN'), 'server', 'SMTP_554'],
  ['refused', { code: 'ESOCKET', originalCode: 'ECONNREFUSED' }, 'server', 'ESOCKET_ECONNREFUSED'],
  ['certificate', { code: 'ESOCKET', originalCode: 'CERT_HAS_EXPIRED' }, 'server', 'ESOCKET_CERT_HAS_EXPIRED'],
  ['certificate, STARTTLS', { code: 'ETLS', originalCode: 'CERT_HAS_EXPIRED' }, 'server', 'ETLS_CERT_HAS_EXPIRED'],
  ['no such host', { code: 'EDNS', originalCode: 'ENOTFOUND' }, 'server', 'EDNS_ENOTFOUND'],
  ['no connection in time', { code: 'ETIMEDOUT', timeoutType: 'CONNECT_TIMEOUT' }, 'server', 'ETIMEDOUT'],
  ['no greeting in time', { code: 'ETIMEDOUT', timeoutType: 'GREETING_TIMEOUT' }, 'server', 'ETIMEDOUT'],
  ['hung up before the greeting', { code: 'ECONNECTION' }, 'server', 'ECONNECTION'],
  ['sender refused', answer('EENVELOPE', 550, 'MAIL FROM'), 'ours', 'SMTP_550'],
  ['authentication required', answer('EENVELOPE', 530, 'RCPT TO'), 'ours', 'SMTP_530'],
  ['sender refused for now', answer('EENVELOPE', 451, 'MAIL FROM'), 'server', 'SMTP_451'],
  ['too large, says the server', answer('EENVELOPE', 552, 'MAIL FROM'), 'mail, for good', 'SMTP_552'],
  ['larger than allowed', { code: 'EMESSAGE', command: 'MAIL FROM' }, 'mail, for good', 'EMESSAGE'],
  ['a file', { code: 'EFILEACCESS' }, 'mail, for good', 'EFILEACCESS'],
  ['a URL', { code: 'EURLACCESS' }, 'mail, for good', 'EURLACCESS'],
  ['too many recipients', { code: 'EMAXRECIPIENTS' }, 'mail, for good', 'EMAXRECIPIENTS'],
  ['unreadable body', { code: 'ESTREAM', command: 'API' }, 'mail, for good', 'ESTREAM'],
  ['no recipient', { code: 'EENVELOPE', command: 'API' }, 'mail, for good', 'EENVELOPE'],
  ['recipient refused', answer('EENVELOPE', 550, 'RCPT TO'), 'recipient, for good', 'SMTP_550'],
  ['recipient refused for now', answer('EENVELOPE', 450, 'RCPT TO'), 'recipient', 'SMTP_450'],
  ['bad sequence of commands', answer('EENVELOPE', 503, 'DATA'), 'mail', 'SMTP_503'],
  ['connection lost', { code: 'ECONNECTION', command: 'CONN' }, 'connection', 'ECONNECTION'],
  ['connection reset', { code: 'ESOCKET', originalCode: 'ECONNRESET' }, 'connection', 'ESOCKET_ECONNRESET'],
  ['silence', { code: 'ETIMEDOUT', timeoutType: 'SOCKET_TIMEOUT' }, 'connection', 'ETIMEDOUT'],
  ['given up', { code: 'EABORT' }, 'connection', 'EABORT'],
  ['pool closed', {}, 'connection', 'SMTP_ERROR'],
])('before the mail is handed over, %s: %j is the fault of: %s', (_what, error, fault, code) => {
  expect(classify(error)).toEqual([fault, code])
})

test.each<[string, Partial<SmtpErrorLike>, string]>([
  ['connection lost', { code: 'ECONNECTION', command: 'CONN' }, 'unknown'],
  ['connection reset', { code: 'ESOCKET', originalCode: 'ECONNRESET' }, 'unknown'],
  ['silence', { code: 'ETIMEDOUT', timeoutType: 'SOCKET_TIMEOUT' }, 'unknown'],
  ['given up', { code: 'EABORT' }, 'unknown'],
  ['an answer without end', { code: 'EPROTOCOL', command: 'CONN' }, 'unknown'],
  ['closing with 421', { ...answer('ECONNECTION', 421, 'CONN') }, 'unknown'],
  ['refused for good', answer('EMESSAGE', 554, 'DATA'), 'mail, for good'],
  ['refused for now', answer('EMESSAGE', 451, 'DATA'), 'mail'],
  ['refused with 421', answer('EMESSAGE', 421, 'DATA'), 'connection'],
])('after the mail is handed over, %s: %j is the fault of: %s', (_what, error, fault) => {
  expect(classify(error, true)[0]).toBe(fault)
})

/** As nodemailer leaves it. */
const withAnswer = (error: Error, response?: string): SmtpErrorLike =>
  Object.assign(error, { code: 'EAUTH', command: 'AUTH MONO-XOAUTH2' }, response && answer('EAUTH', response, 'AUTH'))

const missing = (code: AccessTokenError['code']) =>
  new MissingTokenError('No token', new AccessTokenError(code, { reason: 'HTTP 400', delayMs: 1_000 }))

const ours = 'The mail server does not take mails from us'
const off = 'Authentication unsuccessful, SmtpClientAuthentication is disabled for the'

test.each<[string, SmtpErrorLike, string, string, string]>([
  [
    'no token',
    withAnswer(missing('ACCESS_TOKEN_REFUSED')),
    'ours',
    'ACCESS_TOKEN_REFUSED',
    'There is no access token for the mail server: No token',
  ],
  [
    'no token now, after the last one was refused',
    withAnswer(missing('ACCESS_TOKEN_UNAVAILABLE'), '535 5.7.8 Bad credentials'),
    'server',
    'ACCESS_TOKEN_UNAVAILABLE',
    'There is no access token for the mail server: No token',
  ],
  [
    'no XOAUTH2',
    withAnswer(new SmtpLoginError('The mail server offers no login by XOAUTH2')),
    'ours',
    'EAUTH',
    `${ours} (The mail server offers no login by XOAUTH2)`,
  ],
  [
    'a token that is refused',
    withAnswer(new SmtpLoginError('refused'), '535-5.7.8 Username and Password not accepted.\n535 5.7.8 Learn more'),
    'ours',
    'SMTP_535',
    `${ours} (535 5.7.8 Username and Password not accepted.): check the user of SMTP_URL, SMTP_OAUTH_SCOPE and what the app may do`,
  ],
  [
    'a token that cannot be looked at now',
    withAnswer(new SmtpLoginError('refused'), '454 4.7.0 Temporary authentication failure'),
    'server',
    'SMTP_454',
    'The mail server cannot be used (454 4.7.0 Temporary authentication failure)',
  ],
  [
    'the end of the connection',
    withAnswer(new SmtpLoginError('refused'), '421 4.7.0 Closing the connection'),
    'connection',
    'SMTP_421',
    'The mail server has closed the connection (421 4.7.0 Closing the connection)',
  ],
  [
    'SMTP AUTH that is off for the tenant',
    withAnswer(new SmtpLoginError('refused'), `535 5.7.139 ${off} Tenant.`),
    'ours',
    'SMTP_535',
    `${ours} (535 5.7.139 ${off} Tenant.): turn it on with Set-TransportConfig -SmtpClientAuthenticationDisabled $false`,
  ],
  [
    'SMTP AUTH that is off for the mailbox, with a password',
    createError(answer('EAUTH', `535 5.7.139 ${off} Mailbox.`, 'AUTH LOGIN')),
    'ours',
    'SMTP_535',
    `${ours} (535 5.7.139 ${off} Mailbox.): turn it on with Set-CASMailbox -SmtpClientAuthenticationDisabled $false`,
  ],
  [
    'another policy',
    createError(answer('EAUTH', '535 5.7.139 Authentication unsuccessful, user is locked', 'AUTH LOGIN')),
    'ours',
    'SMTP_535',
    `${ours} (535 5.7.139 Authentication unsuccessful, user is locked): see why in the sign-in log of Microsoft Entra`,
  ],
  [
    'a wrong password',
    createError(answer('EAUTH', '535 5.7.8 Bad credentials', 'AUTH LOGIN')),
    'ours',
    'SMTP_535',
    `${ours} (535 5.7.8 Bad credentials)`,
  ],
])('a login that fails by %s is said in words', (_what, error, fault, code, message) => {
  const verdict = classifySmtpError(error, { handedOver: false })
  expect([verdict.fault, verdict.error.outcome]).toEqual([fault, 'provider'])
  expect([verdict.error.code, verdict.error.message]).toEqual([code, message])
})

const toError = (stage: string, response: string) => {
  if (stage === 'greeting') return answer('EPROTOCOL', response, 'CONN')
  if (stage === 'login') return answer('EAUTH', response, 'AUTH PLAIN')
  if (stage === 'content') return answer('EMESSAGE', response, 'DATA')
  return answer('EENVELOPE', response, stage === 'sender' ? 'MAIL FROM' : 'RCPT TO')
}

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const documented = [
  ...readme.matchAll(/^\| (greeting|login|sender|recipient|content) \| `(\d{3}[^`]*)` \| (\w+) \|$/gm),
].map(([, stage = '', response = '', fault = '']) => [stage, response, fault] as const)

test('the page has a row for each stage', () => {
  expect(new Set(documented.map(([stage]) => stage)).size).toBe(5)
  expect(documented.length).toBeGreaterThan(20)
})

test.each<readonly [string, string, string]>([
  ...documented,
  ['greeting', '421 4.3.2 Service not available', 'connection'],
  ['recipient', '450 4.2.0 <ada@example.com>: Recipient address rejected: Greylisted', 'recipient'],
  ['recipient', '552 5.2.2 Mailbox limit exceeded', 'recipient'],
  ['recipient', '451 4.4.1 No answer from the host of the recipient', 'recipient'],
  ['recipient', '550 User mailbox storage limit exceeded', 'recipient'],
  ['recipient', '552 Mailbox quota limit exceeded', 'recipient'],
  ['recipient', '451 4.7.1 Please try again later', 'recipient'],
  ['recipient', '452 4.3.1 Insufficient storage for this size', 'server'],
  ['content', '554 5.4.14 Hop limit reached', 'mail'],
  ['content', '550-5.7.28 There is an unusual rate of mail from your address', 'rate'],
])('to the %s, %s is the fault of: %s', (stage, response, fault) => {
  const [found] = classify(toError(stage, response), stage === 'content')
  expect(found?.replace(', for good', '')).toBe(fault)
})

test.each([
  ['450 4.7.1 Too much mail, try again in 60 seconds', 60_000],
  ['451 4.7.1 Rate limit exceeded. Retry after 5 minutes', 300_000],
  ['450 4.7.1 Too much mail', undefined],
  ['450 4.7.1 No more than is allowed for 500 messages', undefined],
  ['450 4.7.1 Too much mail, try again in 1 hour', 900_000],
])('the pause that %s names is kept', (response, pauseMs) => {
  const error = createError(answer('EENVELOPE', response, 'MAIL FROM'))
  expect(classifySmtpError(error, { handedOver: false }).pauseMs).toBe(pauseMs)
})

test('the words of the server are kept, without addresses, links and tokens', () => {
  const words = '550 5.1.1 <ada@example.com> see https://example.com/?id=1 q5a1b2c3d4e5f6a7b8c9d0e1f2a3\r\n550 more'
  const { error } = classifySmtpError(createError(answer('EENVELOPE', words, 'RCPT TO')), { handedOver: false })
  expect(error.message).toBe(
    'The mail server does not take mail for the recipient (550 5.1.1 <[address]> see [url] [token])',
  )
})

test.each([
  ['RCPT TO', '554 5.7.1 Relay access denied', 'recipient, for good'],
  ['DATA', '550 5.7.26 This mail is unauthenticated', 'mail, for good'],
  ['MAIL FROM', '550 5.7.1 Not your address', 'ours'],
])('while the server takes others, %s %s is the fault of: %s', (command, response, fault) => {
  const error = createError(answer(command === 'DATA' ? 'EMESSAGE' : 'EENVELOPE', response, command))
  const verdict = classifySmtpError(error, { handedOver: command === 'DATA', takesOthers: true })
  expect(verdict.isFinal && verdict.fault !== 'ours' ? `${verdict.fault}, for good` : verdict.fault).toBe(fault)
})

test('the error keeps its cause', () => {
  const cause = createError(answer('EENVELOPE', '550 5.1.1 unknown', 'RCPT TO'))
  expect(classifySmtpError(cause, { handedOver: false }).error.cause).toBe(cause)
})
