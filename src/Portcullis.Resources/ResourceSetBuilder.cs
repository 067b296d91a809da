using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>Puts the results of several texts together to one set. Pure: the same results in the same order give the same set.</summary>
public static class ResourceSetBuilder
{
    /// <summary>
    /// Numbers the resources through in the order of the results, and refuses the later of two with the same kind, namespace and name.
    /// </summary>
    /// <param name="results">One per file, in the order of reading. They are not changed and can be used again.</param>
    /// <param name="problems">What else was found, such as unreadable files.</param>
    /// <param name="mesh">The mesh configuration.</param>
    /// <param name="revision">Hash of all the content.</param>
    public static ResourceSet Build(IEnumerable<ReadResult> results, IEnumerable<Problem> problems, MeshConfig mesh, string revision)
    {
        ArgumentNullException.ThrowIfNull(results);
        var all = new List<Resource>();
        var found = ImmutableArray.CreateBuilder<Problem>();
        found.AddRange(problems);
        var first = new Dictionary<ResourceId, Resource>();
        var order = 0;
        foreach (var result in results)
        {
            found.AddRange(result.Problems);
            foreach (var resource in result.Resources)
            {
                if (resource is not IgnoredResource && !first.TryAdd(resource.Id, resource))
                {
                    found.Add(Duplicate(resource, first[resource.Id]));
                    continue;
                }

                var origin = resource.Origin.WithOrder(order++);
                all.Add(ReferenceEquals(origin, resource.Origin) ? resource : resource with { Origin = origin });
            }
        }

        return new ResourceSet(all, found.DrainToImmutable(), revision) { Mesh = mesh };
    }

    private static Problem Duplicate(Resource later, Resource earlier)
    {
        var place = earlier.Origin.Locate("metadata.name");
        var at = place is { } p ? $"{earlier.Origin.Source}:{p.Line}:{p.Column}" : earlier.Origin.Source;
        return Problem.At(later, "metadata.name", ProblemSeverity.Error, ProblemCodes.DuplicateResource,
            $"{later.Id} is already defined at {at}", "rename one of the two or remove it; this one is left out");
    }
}
