//! Symbol tables: what each name of each scope refers to. Filled by `symbols.rs`, asked by the code generator.
//! Must not know registers or instructions.
//!
//! A *frame scope* (module, function, lambda, class body) has registers of its own. A comprehension outside a class body
//! is a scope without a frame: its variables live in the frame around it.

use crate::bytecode::code::Name;
use mini_grammar::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// The cell through which an annotation scope sees the names of the class around it.
pub const CLASSDICT: &str = "__classdict__";

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ScopeId(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Module,
    Class,
    /// A function, a lambda, or a comprehension in a class body.
    Function,
    /// A comprehension that runs in the frame around it.
    Comprehension,
}

/// What is known of one name in one scope.
#[derive(Clone, Default, Debug)]
pub struct Symbol {
    pub param: bool,
    /// Assigned, imported, defined or deleted here, or the target of a comprehension.
    pub assigned: bool,
    pub used: bool,
    pub annotated: bool,
    pub global: bool,
    pub nonlocal: Option<Span>,
    /// The first `global` or `nonlocal` statement that names it.
    pub declared: Option<Span>,
    /// Target of a `for` of this comprehension.
    pub iteration: bool,
    /// Captured by an inner frame.
    pub cell: bool,
    /// Can become unbound: `del`, or the name of an `except … as`.
    pub deleted: bool,
}

impl Symbol {
    /// Whether the name is a variable of this very scope.
    pub fn is_bound(&self) -> bool {
        (self.assigned || self.param || self.annotated) && !self.global && self.nonlocal.is_none()
    }
}

/// How the frames of a scope can be suspended.
#[derive(Clone, Copy, Default, Debug)]
pub struct Suspends {
    /// Has `yield`, or is a generator expression.
    pub yields: bool,
    /// `async def`, or a generator expression with `await`.
    pub is_async: bool,
    /// A generator expression.
    pub expression: bool,
}

impl Suspends {
    pub fn any(self) -> bool {
        self.yields || self.is_async
    }
}

/// One scope.
pub struct Scope {
    pub kind: Kind,
    pub parent: Option<ScopeId>,
    pub name: Name,
    /// In the order of first appearance.
    pub names: Vec<Name>,
    pub symbols: FxHashMap<Name, Symbol>,
    /// The class whose name mangles `__private` names here.
    pub private: Option<Name>,
    /// Variables of outer frames that this frame captures, or hands through to inner ones.
    pub freevars: Vec<Name>,
    /// Of a class: a method needs the cell `__class__`.
    pub needs_class_cell: bool,
    /// Of a class: an annotation scope in it needs the namespace, in the cell `__classdict__`.
    pub needs_namespace_cell: bool,
    /// Of a module or class: the scope of the annotations of its variables.
    pub annotations: Option<ScopeId>,
    /// An annotation scope: a function that is called when somebody asks for the annotations.
    pub is_annotation: bool,
    /// Names that `:=` binds in this frame; of a comprehension: those that it binds in the frame around it.
    pub walrus: FxHashSet<Name>,
    /// How its frames can be suspended.
    pub suspends: Suspends,
    /// Calls something that may look at all local variables.
    pub inspects_locals: bool,
}

impl Scope {
    /// The entry for `name`, made if it is not there.
    pub fn symbol(&mut self, name: &Name) -> &mut Symbol {
        if !self.symbols.contains_key(name) {
            self.names.push(name.clone());
        }
        self.symbols.entry(name.clone()).or_default()
    }

    pub fn get(&self, name: &str) -> Option<&Symbol> {
        self.symbols.get(name)
    }

    /// The place of `name` among the captured cells.
    pub fn free_index(&self, name: &str) -> Option<u16> {
        self.freevars.iter().position(|free| &**free == name).and_then(|at| u16::try_from(at).ok())
    }
}

/// All scopes of a module, found by the address of the syntax node that opens them.
#[derive(Default)]
pub struct Scopes {
    scopes: Vec<Scope>,
    by_node: FxHashMap<usize, ScopeId>,
    /// `from __future__ import annotations`: annotations are kept as texts.
    pub future_annotations: bool,
}

/// The key of a syntax node: its address, which stays while the tree is borrowed.
pub fn node_key<T>(node: &T) -> usize {
    std::ptr::from_ref(node) as usize
}

impl Scopes {
    pub const MODULE: ScopeId = ScopeId(0);

    pub fn add(&mut self, kind: Kind, parent: Option<ScopeId>, name: Name, private: Option<Name>) -> ScopeId {
        self.scopes.push(Scope {
            kind,
            parent,
            name,
            names: Vec::new(),
            symbols: FxHashMap::default(),
            private,
            freevars: Vec::new(),
            needs_class_cell: false,
            needs_namespace_cell: false,
            annotations: None,
            is_annotation: false,
            walrus: FxHashSet::default(),
            suspends: Suspends::default(),
            inspects_locals: false,
        });
        ScopeId(self.scopes.len() as u32 - 1)
    }

    /// Remembers which node opened the scope.
    pub fn set_node(&mut self, key: usize, id: ScopeId) {
        self.by_node.insert(key, id);
    }

    /// The scope that the node opened.
    pub fn of_node(&self, key: usize) -> Option<ScopeId> {
        self.by_node.get(&key).copied()
    }

    pub fn get(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.0 as usize]
    }

    pub fn get_mut(&mut self, id: ScopeId) -> &mut Scope {
        &mut self.scopes[id.0 as usize]
    }

    /// Finds the variables that cross frames: marks them as cells, and lists them in every frame on the way.
    /// Errors: the first `nonlocal` name, with its statement, that no outer function binds.
    pub fn resolve(&mut self) -> Result<(), (Name, Span)> {
        for index in 0..self.scopes.len() {
            let id = ScopeId(index as u32);
            let scope = self.get(id);
            let outward: Vec<(Name, Option<Span>)> = scope
                .names
                .iter()
                .filter_map(|name| {
                    let symbol = scope.get(name)?;
                    (!symbol.global && !symbol.is_bound()).then(|| (name.clone(), symbol.nonlocal))
                })
                .collect();
            for (name, nonlocal) in outward {
                let found = self.capture(id, &name);
                if let (false, Some(span)) = (found, nonlocal) {
                    return Err((name, span));
                }
            }
        }
        Ok(())
    }

    /// Looks for `name` outside `id`; says whether a function (or comprehension) binds it.
    fn capture(&mut self, id: ScopeId, name: &Name) -> bool {
        let mut crossed = Vec::new();
        let mut at = id;
        loop {
            if self.get(at).kind != Kind::Comprehension {
                crossed.push(at);
            }
            let Some(parent) = self.get(at).parent else { return false };
            at = parent;
            let scope = self.get_mut(at);
            match scope.kind {
                Kind::Module => return false,
                Kind::Class if &**name == "__class__" => scope.needs_class_cell = true,
                Kind::Class if &**name == CLASSDICT => scope.needs_namespace_cell = true,
                Kind::Class => continue,
                Kind::Function | Kind::Comprehension => match scope.symbols.get_mut(name) {
                    Some(symbol) if symbol.global => return false,
                    Some(symbol) if symbol.is_bound() => symbol.cell |= !crossed.is_empty(),
                    _ => continue,
                },
            }
            break;
        }
        for frame in crossed {
            let scope = self.get_mut(frame);
            if scope.free_index(name).is_none() {
                // In the order that `co_freevars` shows.
                let at = scope.freevars.partition_point(|free| free < name);
                scope.freevars.insert(at, name.clone());
            }
        }
        true
    }
}

/// `__name` inside class `C` becomes `_C__name`.
pub fn mangle(private: Option<&Name>, name: &str) -> Name {
    if let Some(class) = private {
        let stripped = class.trim_start_matches('_');
        let hidden = name.starts_with("__") && !name.ends_with("__") && !name.contains('.');
        if hidden && !stripped.is_empty() {
            return format!("_{stripped}{name}").into();
        }
    }
    name.into()
}
