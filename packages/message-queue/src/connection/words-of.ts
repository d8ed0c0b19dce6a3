/** The broker's own words in an error that amqplib made of them; the message of any other error. */
export function wordsOf({ message }: Error): string {
  return /with message "(.*)"$/s.exec(message)?.[1] ?? message
}
