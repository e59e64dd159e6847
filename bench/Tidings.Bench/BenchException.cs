namespace Tidings.Bench;

/// <summary>The run could not be made; the message is the whole explanation for whoever started it.</summary>
internal sealed class BenchException(string message) : Exception(message);
