using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Testing.Checks;

namespace Tidings.Testing.Clients;

/// <summary>How a connection ended: the close frame's code and reason, or 1006 when there was none.</summary>
public sealed record WireClose(int Code, string Reason)
{
    /// <summary>The connection broke without a close frame.</summary>
    public const int Broken = 1006;
}

/// <summary>A WebSocket client of <c>tidings.v1</c> that keeps all that it receives.</summary>
public sealed class NativeClient : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly string? _token;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly List<JsonElement> _messages = [];
    private readonly Dictionary<string, string> _positions = [];
    private readonly TaskCompletionSource<WireClose> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _arrival = NewArrival();
    private Task _receiving = Task.CompletedTask;
    private int _lastId;

    private NativeClient(string? token)
    {
        _token = token;
        _socket.Options.AddSubProtocol("tidings.v1");
        _socket.Options.KeepAliveInterval = TimeSpan.Zero; // the server's heartbeat is under test, not ours
    }

    /// <summary>Called with each message, on the receiving task, before anyone who waits sees it.</summary>
    public Action<JsonElement>? OnMessage { get; init; }

    /// <summary>Everything received so far.</summary>
    public IReadOnlyList<JsonElement> Messages
    {
        get
        {
            lock (_gate) return [.. _messages];
        }
    }

    /// <summary>How it ended, once it has.</summary>
    public Task<WireClose> Closed => _closed.Task;

    public bool IsOpen => !_closed.Task.IsCompleted;

    /// <summary>Connects and does not wait for a greeting.</summary>
    /// <param name="server">The server's address; a proxy's will do.</param>
    /// <param name="token">Sent as a bearer header; null: none.</param>
    /// <param name="query">After the <c>?</c>.</param>
    /// <param name="onMessage">Called with each message.</param>
    public static async Task<NativeClient> OpenAsync(Uri server, string? token, string query = "", Action<JsonElement>? onMessage = null)
    {
        var client = new NativeClient(token) { OnMessage = onMessage };
        try
        {
            if (token is not null) client._socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
            using var deadline = new CancellationTokenSource(Eventually.Patience);
            await client._socket.ConnectAsync(new UriBuilder(server) { Scheme = "ws", Path = "/ws", Query = query }.Uri, deadline.Token);
            client._receiving = client.ReceiveAsync();
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connects and waits for <c>connected</c>.</summary>
    public static async Task<NativeClient> ConnectAsync(Uri server, string? token, string query = "", Action<JsonElement>? onMessage = null)
    {
        var client = await OpenAsync(server, token, query, onMessage);
        try
        {
            await client.WaitForAsync(message => message.IsOfType("connected"), "connected");
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc cref="ConnectAsync(Uri, string?, string, Action{JsonElement}?)" />
    public static Task<NativeClient> ConnectAsync(Account account) => ConnectAsync(account.Server.Address, account.Token);

    /// <summary>The last place seen in a channel.</summary>
    public string? PositionOf(string channel)
    {
        lock (_gate) return _positions.GetValueOrDefault(channel);
    }

    /// <summary>Events of a channel in the order of their arrival.</summary>
    public List<JsonElement> EventsOf(string channel, string? type = null) =>
        [.. Messages.Where(message => message.IsEvent() && message.Text("channel") == channel && (type is null || message.IsOfType(type)))];

    /// <summary>Subscribes, and answers what the server answered, be it <c>subscribed</c> or <c>error</c>.</summary>
    /// <param name="channel">A name or an object.</param>
    /// <param name="since">A position to resume from.</param>
    public Task<JsonElement> TrySubscribeAsync(JsonNode channel, string? since = null)
    {
        var message = new JsonObject { ["type"] = "subscribe", ["channel"] = channel.DeepClone() };
        if (since is not null) message["since"] = since;
        return RequestAsync(message);
    }

    /// <summary>Subscribes; a refusal is a failure.</summary>
    public async Task<JsonElement> SubscribeAsync(string channel, string? since = null)
    {
        var answer = await TrySubscribeAsync(channel, since);
        return answer.IsOfType("subscribed") ? answer : throw new InvalidOperationException($"subscribe {channel}: {answer}");
    }

    /// <summary>Everything that a channel's history has after a place, page by page.</summary>
    public async Task<List<JsonElement>> GetHistoryAsync(string channel, string since)
    {
        var events = new List<JsonElement>();
        while (true)
        {
            var page = await RequestAsync(new JsonObject { ["type"] = "history", ["channel"] = channel, ["since"] = since, ["limit"] = 100 });
            if (!page.IsOfType("history")) throw new InvalidOperationException($"history {channel}: {page}");
            if (page.TryGetProperty("recovered", out var recovered) && !recovered.GetBoolean()) throw new InvalidOperationException($"The history of {channel} does not reach back.");
            var count = events.Count;
            events.AddRange(page.GetProperty("events").EnumerateArray());
            if (events.Count == count) return events;
            since = page.Text("position")!;
        }
    }

    /// <summary>Sends a message with an id of its own and waits for the answer that repeats it.</summary>
    public async Task<JsonElement> RequestAsync(JsonObject message)
    {
        var id = Interlocked.Increment(ref _lastId);
        message["id"] = id;
        await SendAsync(message.ToJsonString());
        return await WaitForAsync(answer => answer.TryGetProperty("id", out var it) && it.ValueKind == JsonValueKind.Number && it.GetInt32() == id, $"an answer to {message.ToJsonString()}");
    }

    /// <summary>Sends a text frame.</summary>
    public Task SendAsync(string text) => SendAsync(System.Text.Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    /// <summary>Sends a frame.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes, WebSocketMessageType type)
    {
        await _sending.WaitAsync();
        try
        {
            using var deadline = new CancellationTokenSource(Eventually.Patience);
            await _socket.SendAsync(bytes, type, endOfMessage: true, deadline.Token);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Waits for the first message, received already or not, that fits.</summary>
    public async Task<JsonElement> WaitForAsync(Func<JsonElement, bool> fits, string what, TimeSpan? within = null)
    {
        var deadline = Deadline.In(within ?? Eventually.Patience);
        for (var next = 0; ;)
        {
            Task arrival;
            lock (_gate)
            {
                for (; next < _messages.Count; next++)
                    if (fits(_messages[next])) return _messages[next];

                arrival = _arrival.Task;
            }

            if (_closed.Task.IsCompleted) throw new ConnectionEndedException(await _closed.Task, what);
            if (await Task.WhenAny(arrival, _closed.Task, Task.Delay(deadline.Left)) is var first && first != arrival && first != _closed.Task)
                throw new TimeoutException($"Not received within {deadline.Length.TotalSeconds:0.#} s: {what}");
        }
    }

    /// <summary>Waits until the server has ended the connection.</summary>
    public async Task<WireClose> WaitForCloseAsync(TimeSpan? within = null)
    {
        try
        {
            return await Closed.WaitAsync(within ?? Eventually.Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException("The server did not close the connection in time.");
        }
    }

    /// <summary>Breaks the connection without a word.</summary>
    public void Abort() => _socket.Abort();

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _receiving;
        _socket.Dispose();
        _sending.Dispose();
    }

    private async Task ReceiveAsync()
    {
        var close = new WireClose(WireClose.Broken, "");
        try
        {
            var buffer = new byte[16 * 1024];
            using var whole = new MemoryStream();
            while (true)
            {
                var part = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    close = new WireClose((int)(_socket.CloseStatus ?? WebSocketCloseStatus.Empty), _socket.CloseStatusDescription ?? "");
                    await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                    return;
                }

                whole.Write(buffer, 0, part.Count);
                if (!part.EndOfMessage) continue;
                CanaryWatch.Shared.Look(_token, "WebSocket", whole.GetBuffer().AsSpan(0, (int)whole.Length));
                Take(JsonSerializer.Deserialize<JsonElement>(whole.GetBuffer().AsSpan(0, (int)whole.Length)));
                whole.SetLength(0);
            }
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The connection is broken, which is what `close` says.
        }
        finally
        {
            _closed.TrySetResult(close);
        }
    }

    private void Take(JsonElement message)
    {
        OnMessage?.Invoke(message);
        lock (_gate)
        {
            _messages.Add(message);
            if (message.Text("position") is { } position && message.Text("channel") is { } channel) _positions[channel] = position;
            _arrival.TrySetResult();
            _arrival = NewArrival();
        }
    }

    private static TaskCompletionSource NewArrival() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>The connection ended while a message was waited for.</summary>
public sealed class ConnectionEndedException(WireClose close, string what) : Exception($"The connection ended ({close.Code} {close.Reason}) before: {what}")
{
    public WireClose Close { get; } = close;
}
