using System.Net;

namespace Tidings.Bench;

/// <summary>The run could not be made; the message is the whole explanation for whoever started it.</summary>
internal sealed class BenchException(string message, IPEndPoint? server = null) : Exception(message)
{
    /// <summary>Whose fault it was, where several servers are measured in one run.</summary>
    internal IPEndPoint? Server { get; } = server;
}
