using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>Redis does not answer, or refused.</summary>
internal sealed class RedisException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// One connection to one server, over which commands are sent without waiting for each other's answers and pushes arrive. What it does not
/// answer in time ends it. It is never mended: whoever needs another opens one. Safe for all threads.
/// </summary>
internal sealed class RedisConnection : IAsyncDisposable
{
    /// <summary>The most bytes that may wait to be sent.</summary>
    public const int MaxWaiting = 32 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly Action<IReadOnlyList<RespValue>> _pushed;
    private readonly SemaphoreSlim _hasWaiting = new(0, 1);
    private readonly Queue<Asked> _asked = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ArrayBufferWriter<byte> _waiting = new();
    private ArrayBufferWriter<byte> _sending = new();
    private RedisException? _end;

    private RedisConnection(Socket socket, Stream stream, EndPoint endpoint, Action<IReadOnlyList<RespValue>> pushed)
    {
        _socket = socket;
        _stream = stream;
        _pushed = pushed;
        Endpoint = endpoint;
        _ = SendLoopAsync();
        _ = ReadLoopAsync();
    }

    public EndPoint Endpoint { get; }

    /// <summary>Completes when it is of no use any more.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Connects and authenticates.</summary>
    /// <exception cref="RedisException">It could not; the message has no secret in it.</exception>
    public static async Task<RedisConnection> OpenAsync(
        DnsEndPoint endpoint, RedisInstallation installation, string? user, string? password, Action<IReadOnlyList<RespValue>> pushed, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (installation.IsTls)
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = endpoint.Host }, cancellationToken);
                stream = tls;
            }

            var connection = new RedisConnection(socket, stream, endpoint, pushed);
            RedisArgument[] hello = password is null
                ? ["HELLO", "3", "SETNAME", "tidings"]
                : ["HELLO", "3", "AUTH", user ?? "default", password, "SETNAME", "tidings"];
            await connection.AskAsync(hello).WaitAsync(cancellationToken);
            return connection;
        }
        catch (Exception exception) when (exception is SocketException or IOException or System.Security.Authentication.AuthenticationException or OperationCanceledException or RedisException)
        {
            socket.Dispose();
            throw new RedisException($"{endpoint.Host}:{endpoint.Port} cannot be used: {(exception is OperationCanceledException ? "it does not answer." : exception.Message)}", exception);
        }
    }

    /// <summary>Sends a command and completes with its answer.</summary>
    /// <exception cref="RedisException">It was refused, or the connection ended: then it is not known whether it was carried out.</exception>
    public async Task<RespValue> AskAsync(params RedisArgument[] command)
    {
        var answer = new TaskCompletionSource<RespValue>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!TrySend(command, answer)) throw _end ?? new RedisException("Too much waits to be sent to Redis.");
        var value = await answer.Task.ConfigureAwait(false);
        return value.Kind == RespKind.Error ? throw new RedisException(value.Text) : value;
    }

    /// <summary>Sends a command whose answer does not matter.</summary>
    /// <returns>False if the connection has ended or too much waits: then it is not sent.</returns>
    public bool TrySend(params ReadOnlySpan<RedisArgument> command) => TrySend(command, null);

    /// <summary>Sends a command that is answered by pushes, and completes when they have come.</summary>
    /// <exception cref="RedisException">The connection ended, or ends because the command was refused.</exception>
    public async Task SubscribeAsync(params RedisArgument[] command)
    {
        var answer = new TaskCompletionSource<RespValue>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_end is not null) throw _end;
            RedisCommand.Write(_waiting, command);
            RedisCommand.Write(_waiting, ["PING"]); // its answer comes behind the pushes
            _asked.Enqueue(new Asked(null, IsSubscription: true));
            _asked.Enqueue(new Asked(answer, IsSubscription: false));
            Wake();
        }

        await answer.Task.ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        End(new RedisException("The connection to Redis was closed."));
        return ValueTask.CompletedTask;
    }

    /// <summary>Ends it, and everything that waits for an answer.</summary>
    public void End(RedisException why)
    {
        Asked[] asked;
        lock (_lock)
        {
            if (_end is not null) return;
            _end = why;
            asked = [.. _asked];
            _asked.Clear();
            Wake();
        }

        _socket.Dispose();
        foreach (var one in asked) one.Answer?.TrySetException(why);
        _ended.TrySetResult();
    }

    private bool TrySend(ReadOnlySpan<RedisArgument> command, TaskCompletionSource<RespValue>? answer)
    {
        lock (_lock)
        {
            if (_end is not null || _waiting.WrittenCount > MaxWaiting) return false;
            RedisCommand.Write(_waiting, command);
            _asked.Enqueue(new Asked(answer, IsSubscription: false));
            Wake();
            return true;
        }
    }

    private void Wake()
    {
        if (_hasWaiting.CurrentCount == 0) _hasWaiting.Release();
    }

    private async Task SendLoopAsync()
    {
        try
        {
            while (true)
            {
                await _hasWaiting.WaitAsync().ConfigureAwait(false);
                lock (_lock)
                {
                    if (_end is not null) return;
                    (_waiting, _sending) = (_sending, _waiting);
                }

                await _stream.WriteAsync(_sending.WrittenMemory).ConfigureAwait(false);
                if (_sending.Capacity > 1024 * 1024) _sending = new ArrayBufferWriter<byte>();
                else _sending.ResetWrittenCount();
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or SocketException)
        {
            End(new RedisException("The connection to Redis broke.", exception));
        }
    }

    private async Task ReadLoopAsync()
    {
        var reader = PipeReader.Create(_stream, new StreamPipeReaderOptions(bufferSize: 32 * 1024));
        try
        {
            while (true)
            {
                var arrived = await reader.ReadAsync().ConfigureAwait(false);
                var buffer = arrived.Buffer;
                while (true)
                {
                    var verdict = RespReader.TryRead(ref buffer, out var value);
                    if (verdict == RespVerdict.Incomplete) break;
                    if (verdict == RespVerdict.Malformed) throw new RedisException("Redis sent what is not its protocol.");
                    Take(value!);
                }

                if (arrived.IsCompleted) throw new RedisException("Redis closed the connection.");
                reader.AdvanceTo(buffer.Start, buffer.End);
            }
        }
        catch (RedisException exception)
        {
            End(exception);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or SocketException)
        {
            End(new RedisException("The connection to Redis broke.", exception));
        }
    }

    private void Take(RespValue value)
    {
        if (value.Kind == RespKind.Push)
        {
            _pushed(value.Items);
            return;
        }

        Asked asked;
        lock (_lock)
        {
            if (!_asked.TryDequeue(out asked)) return; // it has ended meanwhile
            if (asked.IsSubscription && value.Kind != RespKind.Error && !_asked.TryDequeue(out asked)) return;
        }

        if (asked.IsSubscription) End(new RedisException($"Redis refuses to subscribe: {value.Text}"));
        else asked.Answer?.TrySetResult(value);
    }

    private readonly record struct Asked(TaskCompletionSource<RespValue>? Answer, bool IsSubscription);
}
