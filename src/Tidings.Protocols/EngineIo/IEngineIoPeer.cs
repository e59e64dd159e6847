using Microsoft.AspNetCore.Http;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.EngineIo;

/// <summary>What is spoken over a session. Its messages come one after the other.</summary>
internal interface IEngineIoPeer
{
    /// <summary>Takes a message of the client.</summary>
    /// <param name="message">Its bytes, good until this completes.</param>
    /// <param name="isBinary">Whether it is binary; otherwise it is valid UTF-8.</param>
    /// <param name="cancellationToken">Ends with the request that brought it.</param>
    /// <returns>Why the session must end, or null.</returns>
    ValueTask<CloseReason?> ReceiveAsync(ReadOnlyMemory<byte> message, bool isBinary, CancellationToken cancellationToken);

    /// <summary>The client answered a ping. Any thread.</summary>
    void MarkAlive();

    /// <summary>Every now and then: deadlines are looked at. Any thread.</summary>
    /// <returns>Why the session must end, or null.</returns>
    CloseReason? Tick(long now);

    /// <summary>The session is over; called once. Any thread. Must not throw.</summary>
    void Closed(CloseReason reason);
}

/// <summary>Decides who may open a session, and what is spoken over it.</summary>
internal interface IEngineIoDoor
{
    /// <summary>What a request must pass before anything else is looked at: its origin. Writes the headers of CORS.</summary>
    /// <returns>Why it is refused, or null.</returns>
    EngineIoError? Judge(HttpContext context);

    /// <summary>Lets a client open a session, or says why not.</summary>
    ValueTask<EngineIoEntry> AdmitAsync(HttpContext context);
}

/// <summary>The answer of an <see cref="IEngineIoDoor"/>: either <paramref name="Open"/> or <paramref name="Refusal"/> is there.</summary>
/// <param name="Open">Makes what is spoken over a session.</param>
/// <param name="Refusal">Why there will be none.</param>
/// <param name="Place">What the client takes of the limits: given back when the session is over, or there is none.</param>
internal readonly record struct EngineIoEntry(Func<EngineSession, IEngineIoPeer>? Open, EngineIoError? Refusal = null, IDisposable? Place = null);
