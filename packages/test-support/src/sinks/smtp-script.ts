import { type AnswerOptions, createAnswerScript } from './answer-script.js'
import { parseSmtpAnswer, type SmtpAnswer, type SmtpPhase, type SmtpStep } from './smtp-answer.js'

/** What an SMTP sink was told to answer. */
export interface SmtpScript {
  /** @throws TypeError if it is no answer, or comes before the recipient is known and is set for an address */
  set(target: string, answers: SmtpAnswer | readonly SmtpAnswer[], options?: AnswerOptions): void
  /** The step for a phase. What is set for one of the recipients counts before what is set for all. */
  take(phase: SmtpPhase, recipients?: readonly string[]): SmtpStep | undefined
}

export function createSmtpScript(): SmtpScript {
  const script = createAnswerScript<SmtpStep>()
  return {
    set(target, answers, options) {
      const steps = typeof answers === 'string' ? parseSmtpAnswer(answers) : answers.map(parseSmtpAnswer)
      if (target !== 'all') assertRecipientIsKnown(target, steps)
      script.set(target.toLowerCase(), steps, options)
    },
    take(phase, recipients = []) {
      const fits = (step: SmtpStep) => step.phase === phase
      const steps = recipients.flatMap((address) => script.take([address.toLowerCase()], fits) ?? [])
      const [first] = steps
      return steps.find(hasEffect) ?? first ?? script.take(['all'], fits)
    },
  }
}

/** One mail may be for recipients that are to be treated differently; whatever goes wrong for one does so for all. */
function hasEffect({ code, trouble, delayMs }: SmtpStep): boolean {
  return code !== undefined || trouble !== undefined || delayMs > 0
}

function assertRecipientIsKnown(target: string, steps: SmtpStep | readonly SmtpStep[]): void {
  const early = [steps].flat().find(({ phase }) => phase !== 'rcpt' && phase !== 'data')
  if (!early) return
  throw new TypeError(
    `\`${early.phase}\` comes before the recipient is known: expected the target 'all', found '${target}'`,
  )
}
