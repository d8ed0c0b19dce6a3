import type { HttpAnswer } from '@mono/http-client'
import { classifyMailgunAnswer, wordsOf } from './classify-mailgun-answer.js'
import { classifyMailgunError } from './classify-mailgun-error.js'
import { type EncodedForm, encodeForm } from './encode-form.js'
import { isMissingSomething } from './mailgun-rules.js'

/**
 * Sends a form without recipient and mail, which Mailgun refuses for what is missing if key, domain and region are right.
 *
 * @throws Error that says what else it answers
 */
export async function probeMailgun(post: (form: EncodedForm) => Promise<HttpAnswer>): Promise<void> {
  const answer = await post(encodeForm({ 'o:testmode': 'yes' })).catch((error: unknown) => {
    throw classifyMailgunError(error).error
  })
  if (isMissingSomething(answer.status, wordsOf(answer))) return
  const verdict = classifyMailgunAnswer(answer, { now: Date.now(), takesOthers: true })
  if (verdict.fault === undefined)
    throw new Error('Mailgun has taken a form without a mail: what answers is no Mailgun')
  // Whatever else it does not like about the form, it has looked at it.
  if (verdict.fault !== 'mail' && verdict.fault !== 'recipient') throw verdict.error
}
