// @ts-check

/** What README.md promises, in its words or shorter. A guard that stands for none of them is the tests' business alone. */
export const promises = {
  nothingLost: 'what was confirmed is done, dead-lettered or still queued',
  sendSettles: 'a send settles by its deadline; none resolves for a message that is in no queue',
  storedOnce: 'chat messages and audit events are stored once, a conversation without gaps',
  keepsOrder: 'a conversation’s messages are stored in the order in which they were confirmed',
  sentOnce: 'a push or a mail is sent once',
  deadLettered: 'a message that cannot be done is dead-lettered with its code, and holds up nobody else',
  diesAlone: 'a message that kills its worker dies alone',
  passedOver: 'a message whose headers cannot be read dies alone, and a replay passes it over',
  worksAgain: 'after any number of cut connections, workers and client work again',
  survivesOutages: 'while something is away nothing is given up, and work goes on when it is back',
  pageMissesNothing: 'a page hears each message of its conversations once and in order, and misses none',
  pageHearsItsOwn: 'a page hears the conversations that its token names, and no other',
  /** Of examples/application/README.md. */
  pageShowsText: 'what people write is text in the page, and no page of another origin sends in their name',
  stops: 'a worker that is told to stop finishes what it holds, or hands it back',
}
