// @ts-check
import process from 'node:process'
import { openHttpsSink } from './https-sink.mjs'
import { serveTally } from './sink-tally.mjs'

// FCM with its token endpoint, and APNs: takes everything after a while, and looks into nothing but whom it is for.

const [certificateFile = '', answerAfterMs = '0'] = process.argv.slice(2)
const port = await openHttpsSink({
  certificateFile,
  hosts: ['localhost', 'fcm.googleapis.com', 'oauth2.googleapis.com'],
  serve({ url }, body, response) {
    if (url === '/token') {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ access_token: 'token', expires_in: 3599, token_type: 'Bearer' }))
      return
    }
    const asked = JSON.parse(body.toString())
    if (asked.validate_only) {
      answer(response, 'fcm-probe')
      return
    }
    const { recipient, content } = read(url, asked)
    tally.add({ recipient, bytes: JSON.stringify(content).length, describe: () => JSON.stringify(content) })
    setTimeout(() => answer(response, recipient), Number(answerAfterMs))
  },
})
const tally = serveTally(port)

/**
 * Whom a request is for, and what a person gets of it.
 * @param {string | undefined} url
 * @param {any} body
 */
function read(url = '', body) {
  if (url.startsWith('/3/device/')) {
    const { aps, ...data } = body
    return { recipient: url.slice('/3/device/'.length), content: { ...aps.alert, data } }
  }
  const { token, notification, data } = body.message
  return { recipient: token, content: { ...notification, data } }
}

/**
 * @param {import('node:http2').Http2ServerResponse} response
 * @param {string} recipient
 */
function answer(response, recipient) {
  response.setHeader('content-type', 'application/json')
  response.end(recipient.startsWith('fcm') ? JSON.stringify({ name: `projects/bench/messages/${recipient}` }) : '')
}
