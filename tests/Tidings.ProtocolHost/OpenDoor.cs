using Tidings.Protocols.EngineIo;

namespace Tidings.ProtocolHost;

/// <summary>Lets everybody in.</summary>
internal sealed class OpenDoor(Func<EngineSession, IEngineIoPeer> open) : IEngineIoDoor
{
    /// <inheritdoc />
    public EngineIoError? Judge(HttpContext context) => null;

    /// <inheritdoc />
    public ValueTask<EngineIoEntry> AdmitAsync(HttpContext context) => ValueTask.FromResult(new EngineIoEntry(open));
}
