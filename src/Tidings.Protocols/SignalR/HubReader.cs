using System.Buffers;
using System.IO.Pipelines;

namespace Tidings.Protocols.SignalR;

/// <summary>What came of reading.</summary>
internal enum HubReading
{
    /// <summary>A record.</summary>
    Record,

    /// <summary>A record over the size limit.</summary>
    TooBig,

    /// <summary>The peer is gone, or reading was given up.</summary>
    End,
}

/// <summary>Takes records off a pipe, one at a time. For one reader.</summary>
/// <param name="input">The pipe.</param>
/// <param name="mostBytes">The longest record.</param>
internal sealed class HubReader(PipeReader input, int mostBytes)
{
    /// <summary>The next record without what marks its end.</summary>
    public async ValueTask<(HubReading Reading, ReadOnlyMemory<byte> Record)> ReadAsync(IHubEncoding encoding, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            if (result.IsCanceled) return (HubReading.End, default);

            var buffer = result.Buffer;
            switch (encoding.TryTake(ref buffer, mostBytes, out var record))
            {
                case HubTaking.Record:
                    var bytes = record.ToArray();
                    input.AdvanceTo(buffer.Start);
                    return (HubReading.Record, bytes);
                case HubTaking.TooBig:
                    return (HubReading.TooBig, default);
            }

            if (result.IsCompleted) return (HubReading.End, default);
            input.AdvanceTo(buffer.Start, buffer.End);
        }
    }
}
