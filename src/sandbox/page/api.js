// Talks to the sandbox's control API.

/** Asks and gives the JSON answer; an error has the server's own sentence. */
async function call(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  };
  const response = await fetch(path, options);
  const text = await response.text();
  let answer = {};
  try { answer = text ? JSON.parse(text) : {}; } catch { answer = { error: text.slice(0, 200) }; }
  if (!response.ok) {
    const said = answer.error?.message ?? answer.error ?? answer.msg ?? answer.message;
    throw new Error(typeof said === "string" && said ? said : `HTTP ${response.status}`);
  }
  return answer;
}

const id = encodeURIComponent;

export const readState = () => call("/sandbox/state");
export const readMessages = async (chat) => (await call(`/sandbox/messages?chat_id=${id(chat)}`)).messages ?? [];
export const say = (message) => call("/sandbox/messages", message);
export const edit = (message, user, text) => call(`/sandbox/messages/${id(message)}/edit`, { user, text });
export const recall = (message, user) => call(`/sandbox/messages/${id(message)}/recall`, { user });
export const react = (message, user, emojiType, remove) =>
  call(`/sandbox/messages/${id(message)}/reactions`, { user, emoji_type: emojiType, remove });
export const forward = (sender, messageIds, chat) =>
  call("/sandbox/messages/forward", { sender, message_ids: messageIds, ...(chat ? { chat_id: chat } : {}) });

/** Gives the sandbox a file of the reader's machine, and the answer with its key. */
export async function upload(file) {
  const type = file.type.startsWith("image/") ? "image" : "file";
  const response = await fetch(`/sandbox/files?type=${type}&name=${id(file.name || type)}`, { method: "POST", body: file });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`);
  return answer;
}

export const rename = (chat, name, operator) => call(`/sandbox/chats/${id(chat)}/rename`, { name, operator });
export const changeMembers = (chat, change) => call(`/sandbox/chats/${id(chat)}/members`, change);
export const dissolve = (chat, operator) => call(`/sandbox/chats/${id(chat)}/dissolve`, { operator });
export const leave = (chat, user) => call(`/sandbox/chats/${id(chat)}/leave`, { user });
export const readChat = (chat) => call(`/sandbox/chats/${id(chat)}`);
export const pin = (message, user, remove) => call(`/sandbox/messages/${id(message)}/pin`, { user, remove });
export const confirmUrgent = (message, user) => call(`/sandbox/messages/${id(message)}/confirm`, { user });
export const offeredAlerts = () => call("/sandbox/alerts");
export const fireAlerts = (order) => call("/sandbox/alerts", order);
export const enter = (user) => call("/sandbox/enter", { user });
export const pressMenu = (user, key) => call("/sandbox/menu", { user, key });
export const click = (press) => call("/sandbox/clicks", press);

/** Calls `heard` for everything that happens, and `linked` when the connection comes or goes. */
export function listen(heard, linked) {
  const source = new EventSource("/sandbox/live");
  source.onopen = () => linked(true);
  source.onerror = () => linked(false);
  const receive = (event) => {
    try { heard(JSON.parse(event.data)); } catch { heard({}); }
  };
  source.onmessage = receive;
  // In case the server names its events.
  for (const kind of ["message", "reaction", "card", "chat", "user", "connection"]) {
    if (kind !== "message") source.addEventListener(kind, receive);
  }
}

/** A function that runs `work` soon after it is called, at most every `gapMs`, never twice at once. */
export function coalesced(work, gapMs) {
  let wanted = false;
  let busy = false;
  let last = 0;
  const run = async () => {
    if (busy) return;
    busy = true;
    while (wanted) {
      const wait = last + gapMs - performance.now();
      if (wait > 0) await new Promise((done) => setTimeout(done, wait));
      wanted = false;
      last = performance.now();
      try { await work(); } catch { /* the live connection says when the sandbox is gone */ }
    }
    busy = false;
  };
  return () => { wanted = true; run(); };
}
