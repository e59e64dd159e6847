using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using Tidings.Testing.Checks;

namespace Tidings.Testing.Clients;

/// <summary>
/// A reader of one channel that behaves as a client library does: it resumes from its last place whenever its connection ends, and
/// writes down what it gets. One for each transport.
/// </summary>
public abstract class ResumingReader : IAsyncDisposable
{
    private static readonly TimeSpan Backoff = TimeSpan.FromMilliseconds(30);

    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly ConcurrentQueue<long> _connectedAt = new();
    private TimeSpan? _pause;
    private int _failures;
    private Task _running = Task.CompletedTask;

    private protected ResumingReader(string name, Account account, string channel, OperationLog log)
    {
        Name = name;
        Account = account;
        Channel = channel;
        Log = log;
        Address = account.Server.Address;
    }

    public string Name { get; }

    public string Channel { get; }

    /// <summary>Where it connects: the server, or a proxy before it.</summary>
    public Uri Address { get; init; }

    /// <summary>
    /// Whether it stays away for as long as the server asks, and otherwise for a random time that doubles with each failure from half a second on,
    /// as the client library does. If not, it comes back at once.
    /// </summary>
    public bool IsPatient { get; init; }

    /// <summary>When it connected, each time.</summary>
    public IReadOnlyCollection<long> ConnectedAt => _connectedAt;

    /// <summary>How often it resumed from a place.</summary>
    public int Resumed { get; private protected set; }

    /// <summary>How often it was told that what it missed is gone.</summary>
    public int NotRecovered { get; private set; }

    /// <summary>What should not have happened at all, such as a refusal.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    private protected Account Account { get; }

    private protected OperationLog Log { get; }

    /// <summary>Begins, and completes when the reader is subscribed.</summary>
    public async Task StartAsync()
    {
        Log.Joined(Name, Channel);
        _running = Task.Run(RunAsync);
        await _joined.Task.WaitAsync(Eventually.Patience);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running;
        _end.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Connects, resumes and reads until the connection ends.</summary>
    private protected abstract Task ReadOnceAsync(CancellationToken end);

    private protected void IsJoined()
    {
        _failures = 0;
        _joined.TrySetResult();
    }

    /// <summary>The server asked to stay away for so many milliseconds.</summary>
    private protected void StayAway(int milliseconds)
    {
        if (IsPatient) _pause = TimeSpan.FromMilliseconds(milliseconds);
    }

    private protected void Complain(string what) => _complaints.Enqueue(what);

    private protected void TakeEvent(JsonElement happened) => Log.Received(Name, Channel, happened.Text("id")!, happened.PostKey());

    private protected void TakeGap()
    {
        NotRecovered++;
        Log.NotRecovered(Name, Channel);
    }

    private async Task RunAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                _connectedAt.Enqueue(TimeProvider.System.GetTimestamp());
                await ReadOnceAsync(_end.Token);
            }
            catch (Exception error) when (error is HttpRequestException or WebSocketException or SocketException or IOException or ConnectionEndedException or OperationCanceledException or TimeoutException)
            {
                // The server is down or the line is cut: that is what this reader is for.
            }
            catch (Exception error)
            {
                Complain(error.ToString());
            }

            var pause = _pause ?? (IsPatient ? TimeSpan.FromMilliseconds(Random.Shared.Next(500 << Math.Min(_failures++, 6))) : Backoff);
            _pause = null;
            await Task.Delay(pause, _end.Token).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }
}

/// <summary>Reads over the native protocol.</summary>
public sealed class NativeReader(string name, Account account, string channel, OperationLog log) : ResumingReader(name, account, channel, log)
{
    private string? _position;

    private protected override async Task ReadOnceAsync(CancellationToken end)
    {
        await using var client = await NativeClient.ConnectAsync(Address, Account.Token, onMessage: Take);
        var answer = await client.TrySubscribeAsync(Channel, _position);
        if (!answer.IsOfType("subscribed")) Complain(answer.ToString());
        IsJoined();
        var close = await client.Closed.WaitAsync(end);
        if (close.Reason.StartsWith("retry=", StringComparison.Ordinal)) StayAway(int.Parse(close.Reason.AsSpan(6), System.Globalization.CultureInfo.InvariantCulture));
    }

    private void Take(JsonElement message)
    {
        if (message.Text("channel") != Channel) return; // such as broadcast:all, to which everybody is attached
        if (message.IsOfType("subscribed"))
        {
            if (_position is not null) Resumed++;
            var isLost = message.TryGetProperty("recovered", out var recovered) ? !recovered.GetBoolean() : _position is not null;
            if (isLost) TakeGap();
            if (isLost) _position = null;
        }
        else if (message.IsEvent())
        {
            TakeEvent(message);
        }

        // The place in "subscribed" is where the channel stands; with a replay to come, ours is still behind it.
        if (message.Text("position") is { } position && (message.IsEvent() || _position is null)) _position = position;
    }
}

/// <summary>Reads an event stream, as a browser's <c>EventSource</c> would.</summary>
public sealed class SseReader(string name, Account account, string channel, OperationLog log) : ResumingReader(name, account, channel, log)
{
    private string? _lastId;

    private protected override async Task ReadOnceAsync(CancellationToken end)
    {
        using var stream = await SseClient.OpenAsync(Address, Account.Token, Channel, _lastId, cancellationToken: end);
        if (stream.Status != HttpStatusCode.OK) Complain($"{(int)stream.Status} {await stream.Answer.Content.ReadAsStringAsync(end)}");
        if (_lastId is not null) Resumed++;
        await foreach (var happened in stream.ReadAsync(end))
        {
            _lastId = happened.LastId ?? _lastId;
            IsJoined();
            if (happened.Type == "closing" && happened.Json.TryGetProperty("retry", out var retry) && retry.ValueKind == JsonValueKind.Number) StayAway(retry.GetInt32());
            else if (happened.Type == "gap") TakeGap();
            else if (happened.Json.IsEvent()) TakeEvent(happened.Json);
        }
    }
}

/// <summary>Reads by long polling.</summary>
public sealed class PollReader(string name, Account account, string channel, OperationLog log) : ResumingReader(name, account, channel, log)
{
    private string? _since;

    private protected override async Task ReadOnceAsync(CancellationToken end)
    {
        using var client = new PollClient(Address, Account.Token, Channel) { Since = _since };
        if (_since is not null) Resumed++;
        while (true)
        {
            var answer = await client.PollAsync(_since is null ? 0 : 25, end);
            if (answer.Status == HttpStatusCode.ServiceUnavailable) return;
            if (answer.Status != HttpStatusCode.OK)
            {
                Complain($"{(int)answer.Status} {answer.Body}");
                return;
            }

            foreach (var _ in answer.Gaps) TakeGap();
            foreach (var happened in answer.Events.Where(happened => happened.IsEvent())) TakeEvent(happened);
            _since = client.Since;
            IsJoined();
        }
    }
}
