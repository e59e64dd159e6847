namespace Tidings.Protocols;

/// <summary>The <see cref="Realtime.Connections.IWireFormat.Slot"/> of each wire format. Every number is used once.</summary>
internal static class FormatSlots
{
    public const int Native = 0;
    public const int Sse = 1;
    public const int Poll = 2;
    public const int SignalR = 3;
    public const int PackedSignalR = 6;
    public const int Pusher = 4;
    public const int SocketIo = 5;
}
