// @ts-check
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import process from 'node:process'
import { createPushService } from '@mono/test-support/sinks'

// The push service of `npm run test:compose`, as a container: on port 8443, its certificate in the file of the first
// argument, with those of the files of the others. On port 8080 `POST /subscribe` makes a device, and `GET /received` lists
// what was taken: message tag and time.

const host = 'push-service'
const [certificateFile = '', ...otherFiles] = process.argv.slice(2)
const pushService = await createPushService({ address: '0.0.0.0', port: 8443, hosts: [host] })
const others = await Promise.all(otherFiles.map((file) => readFile(file, 'utf8')))
await writeFile(certificateFile, [pushService.ca, ...others].join('\n'))

createServer((request, response) => {
  const answer =
    request.url === '/subscribe'
      ? pushService.subscribe({ host })
      : pushService.received.map(({ payload, at }) => ({ tag: JSON.parse(payload).tag, at }))
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(answer))
}).listen(8080)

process.once('SIGTERM', () => process.exit())
