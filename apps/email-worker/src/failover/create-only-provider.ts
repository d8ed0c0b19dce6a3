import { type EmailProvider, SendError } from '../email-provider.js'
import type { MailCounts } from './mail-counts.js'
import { toOutcome } from './mail-outcome.js'
import type { NamedProvider } from './named-provider.js'

/** The one provider that there is: it is asked whatever it has said before, and tells its name with each answer. */
export function createOnlyProvider(
  { name, provider }: NamedProvider,
  { counts }: { counts: Pick<MailCounts, 'settled'> },
): EmailProvider {
  return {
    get tookAt() {
      return provider.tookAt
    },
    async send(mail, envelope, signal) {
      try {
        const receipt = await provider.send(mail, envelope, signal)
        counts.settled(name, toOutcome(receipt).kind)
        return { ...receipt, provider: name }
      } catch (error) {
        if (!(error instanceof SendError)) throw error
        counts.settled(name, error.outcome)
        throw error.by(name)
      }
    },
    probe: () => provider.probe(),
    close: () => provider.close(),
  }
}
