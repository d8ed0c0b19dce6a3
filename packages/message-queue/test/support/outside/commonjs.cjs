const client = require('@mono/message-queue')
const roundTrip = require('./round-trip.cjs')

async function main() {
  const imported = await import('@mono/message-queue')
  const isOne = imported.messageQueue === client.messageQueue && imported.RetryableError === client.RetryableError
  process.stdout.write(JSON.stringify({ ...(await roundTrip(client)), isOne }))
}

void main()
