using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Native;

/// <summary>What a client's message amounts to: exactly one of the three is there.</summary>
/// <param name="Command">What it asks.</param>
/// <param name="Error">Why it can't be done; the connection stays.</param>
/// <param name="Malformed">Why it can't be understood at all; the connection ends with 4400 and this reason.</param>
internal readonly record struct ParsedCommand(ClientCommand? Command, ErrorMessage? Error = null, string? Malformed = null);
