import { type Readable, Transform } from 'node:stream'

/** What is known of a mail that is on its way. */
export interface HandOver {
  /** The last byte of the body has been taken by the connection: from here on only an answer tells what became of it. */
  complete: boolean
  /** Called when it is. */
  onComplete?: () => void
}

/**
 * The last stage of nodemailer's stream for a mail (`mail.message.processFunc`), which the SMTP connection reads only
 * after the server has answered DATA with 354.
 *
 * The buffer of one byte is what makes the mark true. With the usual one, a small body would flow into the buffers,
 * and the mark be set, before the first command is answered; so it would with `mail.message.transform`, which has
 * another stage with a buffer behind it.
 */
export function createHandOverStage(input: Readable, handOver: HandOver): Transform {
  const stage = new Transform({
    readableHighWaterMark: 1,
    transform(chunk: Buffer, _encoding, done) {
      done(null, chunk)
    },
    flush(done) {
      handOver.complete = true
      handOver.onComplete?.()
      done()
    },
  })
  // `pipe` passes on no errors.
  input.once('error', (error) => stage.destroy(error))
  return input.pipe(stage)
}
