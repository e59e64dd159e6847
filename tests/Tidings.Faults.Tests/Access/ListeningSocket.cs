using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Tidings.Testing;
using Tidings.Testing.Checks;

namespace Tidings.Faults.Tests.Access;

/// <summary>A client of one of the other protocols over WebSocket that subscribes to one channel, answers what must be answered, and hands on all it receives.</summary>
internal sealed class ListeningSocket : IAsyncDisposable
{
    private const char EndOfRecord = '\u001e';

    private readonly ClientWebSocket _socket = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _token;
    private readonly Action<string> _note;
    private readonly ConcurrentQueue<string> _said = [];
    private Task _reading = Task.CompletedTask;

    private ListeningSocket(string token, Action<string> note) => (_token, _note) = (token, note);

    /// <summary>Socket.IO.</summary>
    public static Task<ListeningSocket> SocketIoAsync(Uri server, string token, string channel, string? since, Action<string> note) => OpenAsync(
        server, "/socket.io/", "EIO=4&transport=websocket", token, note, null, packet => packet switch
        {
            ['0', ..] => $"40{JsonSerializer.Serialize(new { token })}",
            ['4', '0', ..] => $"421[\"subscribe\",{JsonSerializer.Serialize(channel)}{(since is null ? "" : $",{JsonSerializer.Serialize(new { since })}")}]",
            "2" => "3",
            _ => null,
        }, static packet => packet.StartsWith("431[", StringComparison.Ordinal));

    /// <summary>SignalR, in JSON.</summary>
    public static Task<ListeningSocket> SignalRAsync(Uri server, string token, string channel, string? since, Action<string> note) => OpenAsync(
        server, "/hubs/tidings", $"access_token={token}", token, note, """{"protocol":"json","version":1}""", record => record switch
        {
            "{}" => JsonSerializer.Serialize(new { type = 1, invocationId = "1", target = "Subscribe", arguments = since is null ? (string[])[channel] : [channel, since] }) + EndOfRecord,
            """{"type":6}""" => record + EndOfRecord,
            _ => null,
        }, static record => record.StartsWith("{\"type\":3,\"invocationId\":\"1\"", StringComparison.Ordinal));

    /// <summary>Pusher, which knows no place to go on from.</summary>
    public static Task<ListeningSocket> PusherAsync(Uri server, string token, string channel, string key, Action<string> note) => OpenAsync(
        server, $"/app/{key}", $"protocol=7&client=js&version=8&flash=false&token={token}", token, note, null, message =>
            message.Contains("pusher:connection_established", StringComparison.Ordinal)
                ? JsonSerializer.Serialize(new { @event = "pusher:subscribe", data = new { channel = channel.Replace(':', '_') } })
            : message.Contains("\"pusher:ping\"", StringComparison.Ordinal) ? """{"event":"pusher:pong","data":{}}"""
            : null, static message => message.Contains("subscription_succeeded", StringComparison.Ordinal));

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading;
        _socket.Dispose();
    }

    private static async Task<ListeningSocket> OpenAsync(
        Uri server, string path, string query, string token, Action<string> note, string? first, Func<string, string?> answer, Func<string, bool> isReady)
    {
        var listening = new ListeningSocket(token, note);
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        await listening._socket.ConnectAsync(new UriBuilder(server) { Scheme = "ws", Path = path, Query = query }.Uri, deadline.Token);
        if (first is not null) await listening.SendAsync(first + EndOfRecord);
        listening._reading = listening.ReadAsync(answer, isReady);
        try
        {
            await listening._ready.Task.WaitAsync(deadline.Token);
            return listening;
        }
        catch (Exception exception)
        {
            await listening.DisposeAsync();
            throw new InvalidOperationException($"{path} did not come to be subscribed; it said: {string.Join('\n', listening._said)}", exception);
        }
    }

    private Task SendAsync(string text) => _socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    private async Task ReadAsync(Func<string, string?> answer, Func<string, bool> isReady)
    {
        var buffer = new byte[16 * 1024];
        using var whole = new MemoryStream();
        try
        {
            while (true)
            {
                var part = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close) throw new IOException($"The server closed: {_socket.CloseStatus} {_socket.CloseStatusDescription}");
                whole.Write(buffer, 0, part.Count);
                if (!part.EndOfMessage) continue;
                CanaryWatch.Shared.Look(_token, "another protocol", whole.GetBuffer().AsSpan(0, (int)whole.Length));
                foreach (var message in Encoding.UTF8.GetString(whole.GetBuffer(), 0, (int)whole.Length).Split(EndOfRecord, StringSplitOptions.RemoveEmptyEntries))
                {
                    _note(message);
                    if (!_ready.Task.IsCompleted) _said.Enqueue(message);
                    if (answer(message) is { } reply) await SendAsync(reply);
                    if (isReady(message)) _ready.TrySetResult();
                }

                whole.SetLength(0);
            }
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            _ready.TrySetException(exception); // otherwise it is the end of the test, or of the server
        }
    }
}
