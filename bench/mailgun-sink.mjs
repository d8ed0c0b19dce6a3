// @ts-check
import process from 'node:process'
import { openHttpsSink } from './https-sink.mjs'
import { serveTally } from './sink-tally.mjs'
import { withoutIds } from './without-ids.mjs'

// Mailgun: takes every mail after a while, and looks into nothing but whom it is for.

const [certificateFile = '', answerAfterMs = '0'] = process.argv.slice(2)
const port = await openHttpsSink({
  certificateFile,
  hosts: ['localhost'],
  serve(_request, body, response) {
    const mail = readPart(body, 'message')
    tally.add({
      recipient: readPart(body, 'to').toString(),
      bytes: mail.length,
      describe: () => withoutIds(mail.toString()),
    })
    setTimeout(() => {
      response.setHeader('content-type', 'application/json')
      response.end('{"id":"<1@example.com>","message":"Queued. Thank you."}')
    }, Number(answerAfterMs))
  },
})
const tally = serveTally(port)

/**
 * The content of one part of a form.
 * @param {Buffer} body
 * @param {string} name
 */
function readPart(body, name) {
  const boundary = body.subarray(0, body.indexOf('\r\n'))
  const head = body.indexOf(`name="${name}"`)
  const start = body.indexOf('\r\n\r\n', head) + 4
  return body.subarray(start, body.indexOf(boundary, start) - 2)
}
