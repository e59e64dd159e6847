using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.SignalR;

/// <summary>Records out over whatever the framework carries them by. A flush waits for a peer that does not read.</summary>
/// <param name="link">Both directions.</param>
/// <param name="abort">Cuts the link.</param>
/// <param name="closeTimeout">How long the goodbye may take.</param>
/// <param name="clock">The clock.</param>
internal sealed class HubTransport(IDuplexPipe link, Action abort, TimeSpan closeTimeout, TimeProvider clock) : ITransport
{
    /// <summary>How the goodbye is written; known when hands have been shaken.</summary>
    public IHubEncoding Encoding { get; set; } = JsonHubEncoding.Instance;

    /// <inheritdoc />
    public async ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken)
    {
        for (var index = 0; index < pieces.Count; index++) link.Output.Write(pieces[index].Span);
        var flushed = await link.Output.FlushAsync(cancellationToken);
        if (flushed.IsCompleted || flushed.IsCanceled) throw new IOException("The client is gone.");
    }

    /// <inheritdoc />
    public async ValueTask CloseAsync(CloseReason reason, bool writable)
    {
        try
        {
            using var limit = new CancellationTokenSource(closeTimeout, clock);
            if (!writable) abort();
            else if (reason != CloseReason.Normal) await WriteAsync([Encoding.Close(TextOf(reason), MayReconnect(reason))], limit.Token);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            abort();
        }
        finally
        {
            link.Input.CancelPendingRead(); // the session reads no more
        }
    }

    /// <summary>A reason as clients are told it, for example <c>4401 token_expired</c>.</summary>
    public static string TextOf(CloseReason reason) => string.Create(CultureInfo.InvariantCulture, $"{reason.Code} {reason.Reason}").TrimEnd();

    // Who must bring a new token gets it when it connects: its accessTokenFactory is asked again.
    private static bool MayReconnect(CloseReason reason) =>
        reason == CloseReason.TokenExpired || reason.Code is 1000 or 1001 or 1011 or 4408 or 4409 or 4429 or 4503;
}
