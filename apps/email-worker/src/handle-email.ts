import { setMaxListeners } from 'node:events'
import { toWireAddress } from '@mono/contracts'
import { type DeliveryLedger, serveRecipients, toLedgerMessage } from '@mono/delivery-ledger'
import type { MessageHandler } from '@mono/message-queue'
import { DeferError, PermanentError } from '@mono/message-queue'
import { createSlots } from '@mono/waiting'
import { createRecipientServer, type OnUnknown } from './create-recipient-server.js'
import type { EmailProvider } from './email-provider.js'
import { findRecipients } from './find-recipients.js'
import type { Sender } from './parse-sender.js'
import type { Suppressions } from './suppressions.js'
import type { TemplateStore } from './templates/template-store.js'
import { toMailContent } from './to-mail-content.js'

export interface EmailHandlerOptions {
  ledger: DeliveryLedger
  suppressions: Suppressions
  templates: TemplateStore
  provider: EmailProvider
  from: Sender
  /** Where answers to a message go that does not say it. */
  replyTo?: Sender | undefined
  onUnknown: OnUnknown
  /** Mails on their way at a time, of all messages. */
  concurrency: number
  /** Called when an equal message without an id was taken for the same. */
  onMerged?: (() => void) | undefined
}

/**
 * A recipient waits in line no longer than this; then the message comes back later, and no attempt is counted. With five
 * minutes for a mail's turn and ten for the last answer, it is less than a handler's time. A mail that takes longer, because
 * connecting is slow or one provider after the other keeps it for minutes, is ended when that time is over, and an attempt of
 * the message is counted.
 */
const deadlineInLine = {
  ms: 4 * 60_000,
  createError: () => new DeferError('The provider takes mails more slowly than they come'),
}

/**
 * Sends a message to each of its recipients who has not been served. The content is made before anybody is claimed, so
 * that a message that cannot be rendered leaves no trace in the ledger.
 *
 * The recipients admitted, of all messages together, are as many as mails are on their way, and as many again: while one
 * mail is being sent, the next is claimed. A message that nobody waits for claims as many ahead. Tenants take turns, so that nobody's single mail waits for another's mailing.
 */
export function createEmailHandler(options: EmailHandlerOptions): MessageHandler<'email.notifications'> {
  const { ledger, suppressions, templates, concurrency, provider, from, onUnknown, onMerged } = options
  const claimedAtMost = 2 * concurrency
  const turns = createSlots(claimedAtMost)
  return async (message, { signal, logger, othersMayWait }) => {
    // Every mail on its way listens to the signal; Node warns of a leak above ten.
    setMaxListeners(claimedAtMost + 10, signal)
    const content = toMailContent(message, templates)
    const { to, tenantId: _tenant, ...fields } = message.payload
    const ledgerMessage = toLedgerMessage(message, { type: message.type, ...fields })
    const recipients = await findRecipients(to, { ledger, message: ledgerMessage })
    const suppressed = await suppressions.find(message.tenantId, [...recipients.values()])
    const serve = createRecipientServer({
      provider,
      from,
      replyTo: toReplyTo(message.payload.replyTo, options.replyTo),
      onUnknown,
      message: ledgerMessage,
      content,
      recipients,
      suppressed,
      // Those who wait in line would find out the same, one after the other.
      onProviderAway: ({ message: reason }) =>
        turns.refuseWaiting(new DeferError(reason, { code: 'PROVIDER_UNAVAILABLE' })),
    })
    const sentBy: Record<string, number> = {}
    try {
      const summary = await serveRecipients({
        ledger,
        message: ledgerMessage,
        recipients: [...recipients.keys()],
        resumeAt: message.resumeAt,
        concurrency: claimedAtMost,
        async admit(waiting) {
          await turns.acquire(waiting, { group: message.tenantId, deadline: deadlineInLine })
          return () => turns.release()
        },
        othersAreInLine: () => turns.waiting > 0,
        othersMayWait,
        signal,
        logger,
        async serve(claim, whileServing) {
          const result = await serve(claim, whileServing)
          if (result.kind === 'sent' && result.provider) sentBy[result.provider] = (sentBy[result.provider] ?? 0) + 1
          return result
        },
        onMerged,
      })
      logger.debug({ ...summary, sentBy, suppressed: suppressed.size }, 'Every recipient is settled')
    } catch (error) {
      if (!isAllFailed(error) || suppressed.size < recipients.size) throw error
      // Somebody decided that nothing is sent to them: that is no failure for anybody to look into.
      logger.info({ suppressed: suppressed.size }, 'Every recipient is suppressed; nothing was sent')
    }
  }
}

function toReplyTo(address: string | undefined, fallback: Sender | undefined): Sender | undefined {
  return address === undefined ? fallback : { address: toWireAddress(address) }
}

function isAllFailed(error: unknown): boolean {
  return error instanceof PermanentError && error.code === 'ALL_RECIPIENTS_FAILED'
}
