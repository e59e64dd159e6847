namespace Tidings.Bench.Network;

/// <summary>Nobody listens there, which is expected of a server that was just killed.</summary>
internal sealed class ConnectException(string message) : Exception(message);
