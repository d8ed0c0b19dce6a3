import { expect } from 'vitest'
import { expectEachOnce, failure, type ProviderCase, providerFailure } from './provider-case.js'

/** The receipt of a mail whose only recipient was refused. */
const rejection = (code: string, permanent: boolean, reason: RegExp) => ({
  providerId: '',
  accepted: [],
  rejected: [expect.objectContaining({ code, permanent, reason: expect.stringMatching(reason) })],
})

const login = { user: 'mono', password: 'secret' }

/** What the servers refuse, in their words. */
export const answerCases: readonly ProviderCase[] = [
  {
    title: 'an unknown user is refused for good',
    async run({ send }) {
      expect(await send({ to: { address: 'unknown@example.com' } })).toEqual(
        rejection('SMTP_550', true, /550 (5\.1\.1 .*User unknown|Unknown user)/),
      )
    },
  },
  {
    // Postfix hangs up after twenty errors (smtpd_hard_error_limit).
    title: 'each of 25 unknown users over one connection is refused for good, and others are served among them',
    parameters: '?maxConnections=1',
    async run({ sendMany, server }) {
      const [unknown, known] = await Promise.all([
        sendMany(25, (index) => ({ to: { address: `unknown-${index}@example.com` } })),
        sendMany(5),
      ])
      expect(unknown).toEqual(unknown.map(() => rejection('SMTP_550', true, /User unknown|Unknown user/)))
      expectEachOnce(await server.readMails(), known)
    },
  },
  {
    title: 'a greylisted recipient is tried again',
    async run({ send }) {
      expect(await send({ to: { address: 'greylisted@example.com' } })).toEqual(
        rejection('SMTP_450', false, /450 4\.2\.0 .*Greylisted/),
      )
    },
  },
  {
    title: '4.3.2 for a recipient is the server’s fault',
    async run({ send }) {
      await expect(send({ to: { address: 'busy@example.com' } })).rejects.toEqual(
        providerFailure('SMTP_450', /cannot be used \(450 4\.3\.2 .*System not accepting network messages/),
      )
      expect(await send()).toMatchObject({ accepted: ['ada@example.com'] })
    },
  },
  {
    title: 'a full disk is the server’s fault',
    options: { minFreeSpace: 2e12 },
    async run({ send, server }) {
      const words = { postfix: /452 4\.3\.1 Insufficient system storage/, exim: /452 space shortage/i }
      await expect(send()).rejects.toEqual(providerFailure('SMTP_452', words[server.name]))
    },
  },
  {
    title: 'a mail that is too large fails for good, and its neighbours are sent',
    options: { maxSize: 100_000 },
    async run({ sendMany, server }) {
      const sizes = [1_000, 200_000, 1_000, 1_000]
      const texts = sizes.map((size) => `${'w'.repeat(60)}\n`.repeat(size / 61))
      const results = await Promise.allSettled(
        texts.map(async (text, index) => {
          const [receipt] = await sendMany(1, () => ({ text, to: { address: `user-${index}@example.com` } }))
          return receipt
        }),
      )
      const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
      expect(refused).toEqual([failure('permanent', 'SMTP_552', /does not take the mail \(552 .*\b(size|big)\b/i)])
      const taken = results.flatMap((result) => (result.status === 'fulfilled' && result.value ? [result.value] : []))
      expectEachOnce(await server.readMails(), taken)
      expect(taken).toHaveLength(3)
    },
  },
  {
    title: 'letters beyond ASCII before the @ fail at once, named, at a server without SMTPUTF8',
    options: { smtpUtf8: false },
    async run({ send, server }) {
      await expect(send({ to: { address: 'zoë@example.com' } })).rejects.toEqual(
        failure('permanent', 'NO_SMTPUTF8', /no SMTPUTF8/),
      )
      const receipt = await send()
      expectEachOnce(await server.readMails(), [receipt])
    },
  },
  {
    title: 'a wrong password is our fault',
    only: 'exim',
    options: { login },
    credentials: 'mono:wrong',
    parameters: '?tls=off',
    async run({ send }) {
      await expect(send()).rejects.toEqual(providerFailure('SMTP_535', /does not take mails from us \(535 /))
    },
  },
  {
    title: 'the right password is none',
    only: 'exim',
    options: { login },
    credentials: 'mono:secret',
    parameters: '?tls=off',
    async run({ send, server, provider }) {
      await provider.probe()
      const receipt = await send()
      expectEachOnce(await server.readMails(), [receipt])
    },
  },
]
