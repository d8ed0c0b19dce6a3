// @ts-check
import process from 'node:process'
import { openHttpsSink } from './https-sink.mjs'
import { serveTally } from './sink-tally.mjs'

// A push service that takes everything and looks into nothing, over HTTP/2 and HTTP/1.1.

const [certificateFile = ''] = process.argv.slice(2)
const port = await openHttpsSink({
  certificateFile,
  hosts: ['localhost'],
  serve({ url, headers }, { length: bytes }, response) {
    const { ttl, urgency, 'content-type': type, 'content-encoding': encoding } = headers
    const describe = () => JSON.stringify({ ttl, urgency, type, encoding, bytes })
    tally.add({ recipient: url, bytes, describe })
    response.statusCode = 201
    response.end()
  },
})
const tally = serveTally(port)
