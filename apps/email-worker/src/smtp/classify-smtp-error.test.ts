import { expect, test } from 'vitest'
import { classifySmtpError, type SmtpErrorLike } from './classify-smtp-error.js'

const createError = (fields: Partial<SmtpErrorLike>): SmtpErrorLike => Object.assign(new Error('smtp'), fields)

const classify = (fields: Partial<SmtpErrorLike>, handedOver = false) => {
  const { outcome, code } = classifySmtpError(createError(fields), { handedOver })
  return [outcome, code]
}

const answer = (code: string, responseCode: number, command: string): Partial<SmtpErrorLike> => ({
  code,
  responseCode,
  command,
  permanent: responseCode >= 500 && responseCode !== 503,
})

test.each<[string, Partial<SmtpErrorLike>, string, string]>([
  ['login refused', answer('EAUTH', 535, 'AUTH PLAIN'), 'provider', 'SMTP_535'],
  ['login refused for now', answer('EAUTH', 454, 'AUTH PLAIN'), 'provider', 'SMTP_454'],
  ['no password', { code: 'EAUTH', command: 'API' }, 'provider', 'EAUTH'],
  ['no login data', { code: 'ENOAUTH' }, 'provider', 'ENOAUTH'],
  ['no OAuth token', { code: 'EOAUTH2' }, 'provider', 'EOAUTH2'],
  ['STARTTLS refused', answer('ETLS', 502, 'STARTTLS'), 'provider', 'SMTP_502'],
  ['bad configuration', { code: 'ECONFIG' }, 'provider', 'ECONFIG'],
  ['proxy', { code: 'EPROXY' }, 'provider', 'EPROXY'],
  ['greeting 421', answer('EPROTOCOL', 421, 'CONN'), 'provider', 'SMTP_421'],
  ['greeting 554', answer('EPROTOCOL', 554, 'CONN'), 'provider', 'SMTP_554'],
  ['refused', { code: 'ESOCKET', originalCode: 'ECONNREFUSED' }, 'provider', 'ESOCKET_ECONNREFUSED'],
  ['no such host', { code: 'EDNS', originalCode: 'ENOTFOUND' }, 'provider', 'EDNS_ENOTFOUND'],
  ['no connection in time', { code: 'ETIMEDOUT', timeoutType: 'CONNECT_TIMEOUT' }, 'provider', 'ETIMEDOUT'],
  ['no greeting in time', { code: 'ETIMEDOUT', timeoutType: 'GREETING_TIMEOUT' }, 'provider', 'ETIMEDOUT'],
  ['hung up before the greeting', { code: 'ECONNECTION' }, 'provider', 'ECONNECTION'],
  ['sender refused', answer('EENVELOPE', 550, 'MAIL FROM'), 'provider', 'SMTP_550'],
  ['authentication required', answer('EENVELOPE', 530, 'RCPT TO'), 'provider', 'SMTP_530'],
  ['sender refused for now', answer('EENVELOPE', 451, 'MAIL FROM'), 'transient', 'SMTP_451'],
  ['too large, says the server', answer('EENVELOPE', 552, 'MAIL FROM'), 'permanent', 'SMTP_552'],
  ['larger than allowed', { code: 'EMESSAGE', command: 'MAIL FROM' }, 'permanent', 'EMESSAGE'],
  ['a file', { code: 'EFILEACCESS' }, 'permanent', 'EFILEACCESS'],
  ['a URL', { code: 'EURLACCESS' }, 'permanent', 'EURLACCESS'],
  ['too many recipients', { code: 'EMAXRECIPIENTS' }, 'permanent', 'EMAXRECIPIENTS'],
  ['unreadable body', { code: 'ESTREAM', command: 'API' }, 'permanent', 'ESTREAM'],
  ['no recipient', { code: 'EENVELOPE', command: 'API' }, 'permanent', 'EENVELOPE'],
  ['recipient refused', answer('EENVELOPE', 550, 'RCPT TO'), 'permanent', 'SMTP_550'],
  ['recipient refused for now', answer('EENVELOPE', 450, 'RCPT TO'), 'transient', 'SMTP_450'],
  ['bad sequence of commands', answer('EENVELOPE', 503, 'DATA'), 'transient', 'SMTP_503'],
  ['connection lost', { code: 'ECONNECTION', command: 'CONN' }, 'transient', 'ECONNECTION'],
  ['connection reset', { code: 'ESOCKET', originalCode: 'ECONNRESET' }, 'transient', 'ESOCKET_ECONNRESET'],
  ['silence', { code: 'ETIMEDOUT', timeoutType: 'SOCKET_TIMEOUT' }, 'transient', 'ETIMEDOUT'],
  ['given up', { code: 'EABORT' }, 'transient', 'EABORT'],
  ['pool closed', {}, 'transient', 'SMTP_ERROR'],
])('before the mail is handed over, %s: %j is %s', (_what, error, outcome, code) => {
  expect(classify(error)).toEqual([outcome, code])
})

test.each<[string, Partial<SmtpErrorLike>, string]>([
  ['connection lost', { code: 'ECONNECTION', command: 'CONN' }, 'unknown'],
  ['connection reset', { code: 'ESOCKET', originalCode: 'ECONNRESET' }, 'unknown'],
  ['silence', { code: 'ETIMEDOUT', timeoutType: 'SOCKET_TIMEOUT' }, 'unknown'],
  ['given up', { code: 'EABORT' }, 'unknown'],
  ['an answer without end', { code: 'EPROTOCOL', command: 'CONN' }, 'unknown'],
  ['closing with 421', { ...answer('ECONNECTION', 421, 'CONN') }, 'unknown'],
  ['refused for good', answer('EMESSAGE', 554, 'DATA'), 'permanent'],
  ['refused for now', answer('EMESSAGE', 451, 'DATA'), 'transient'],
  ['refused with 421', answer('EMESSAGE', 421, 'DATA'), 'transient'],
])('after the mail is handed over, %s: %j is %s', (_what, error, outcome) => {
  expect(classify(error, true)[0]).toBe(outcome)
})

test('the error keeps its cause, and its message has no address', () => {
  const cause = createError({ ...answer('EENVELOPE', 550, 'RCPT TO'), message: '550 ada@example.com unknown' })
  const error = classifySmtpError(cause, { handedOver: false })
  expect(error.cause).toBe(cause)
  expect(error.message).toBe('The mail server refused the mail for good (SMTP_550)')
})
